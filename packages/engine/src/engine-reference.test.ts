// The relations of engine.test.ts, held by the reference engines over every weight dtype.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ExpertId, toExpertId, type WeightDtype, weightDtypes } from "@octet/core";
import {
  type ExpertEngine,
  openReferenceAttentionEngine,
  openReferenceExpertEngine,
} from "@octet/kernels";
import { tinyModel, writeSyntheticModel } from "@octet/kernels/conformance";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createEngine, type Engine } from "./engine.ts";
import type { EngineLimits } from "./engine-limits.ts";
import type { ExpertClient } from "./expert-client.ts";
import { generate, type ToyRequest } from "./fixture/toy-engine.ts";

const model = tinyModel({ maxPositions: 64, slidingWindow: 20, eosTokenIds: [7] });
let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "octet-engine-"));
});
afterAll(() => rm(directory, { recursive: true }));

/** Calls the engine as a worker would. */
function inProcess(engine: ExpertEngine): ExpertClient {
  return {
    forward: async (call) => {
      const output = await engine.forward(call);
      const workerId = `worker-${call.expertId}`;
      return { output, workerId, address: "in-process", queuedUs: 0, computedUs: 1 };
    },
    close: () => engine.close(),
  };
}

/** A maker of engines over one model, each with a KV cache of its own. */
async function openModel(weightDtype: WeightDtype, seed: number) {
  const path = join(directory, `${weightDtype}.weights`);
  const weights = await writeSyntheticModel({ path, model, weightDtype, seed });
  const expertIds: ExpertId[] = Array.from({ length: model.numExperts }, (_, id) =>
    toExpertId(id, model.numExperts),
  );
  const shard = { model, weightDtype, weights, threads: 1 };
  const experts = inProcess(
    await openReferenceExpertEngine({ ...shard, weights: [weights], expertIds }),
  );
  return async (limits: Partial<EngineLimits> = {}): Promise<Engine> => {
    const kv = { numBlocks: 64, blockSizeTokens: 8 };
    const attention = await openReferenceAttentionEngine({ ...shard, ...kv });
    return createEngine({ attention, experts, limits });
  };
}

const requests: ToyRequest[] = Array.from({ length: 8 }, (_, i) => ({
  promptTokenIds: Array.from({ length: 1 + i * 4 }, (_, j) => (i * 31 + j * 17 + 8) % 101),
  sampling: { temperature: i % 2, topP: 0.9, seed: BigInt(i) },
  stop: { maxTokens: 6 + i, ignoreEos: i !== 5 },
}));

for (const weightDtype of weightDtypes) {
  test(`${weightDtype}: neither company nor chunks nor the cache change a token`, async () => {
    const open = await openModel(weightDtype, 11);
    const alone: (readonly number[])[] = [];
    for (const request of requests) {
      const { tokenIds, error } = await generate(await open(), request);
      expect(error).toBeUndefined();
      alone.push(tokenIds);
    }
    for (const stepTokensMax of [512, 9]) {
      const engine = await open({ stepTokensMax, activeSequencesMax: 8 });
      const together = await Promise.all(requests.map((request) => generate(engine, request)));
      expect(together.map(({ tokenIds }) => tokenIds)).toEqual(alone);
      engine.checkIntegrity();
    }
    const [prompt, answer] = [requests[3]!.promptTokenIds, alone[3]!];
    const resumed = await generate(await open(), {
      ...requests[3]!,
      promptTokenIds: [...Array.from(prompt), ...answer.slice(0, 4)],
      stop: { maxTokens: answer.length - 4, ignoreEos: true },
    });
    expect(resumed.tokenIds).toEqual(answer.slice(4));
    expect(new Set(alone.map((tokenIds) => tokenIds.join())).size).toBe(requests.length);
  });
}
