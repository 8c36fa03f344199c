// An engine over attention on a GPU whose device really goes away in the middle of an answer.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toExpertId, type WeightFile } from "@octet/core";
import {
  type DeviceChange,
  destroyGpuDevice,
  openReferenceExpertEngine,
  openWebGpuAttentionEngine,
  useSwiftShader,
} from "@octet/kernels";
import { tinyModel, writeSyntheticModel } from "@octet/kernels/conformance";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createEngine } from "./engine.ts";
import { generate, type ToyRequest } from "./fixture/toy-engine.ts";

useSwiftShader(process.env);
// Kernels are compiled twice, by a CPU that stands for a GPU, beside other tests.
vi.setConfig({ testTimeout: 180_000 });

const model = tinyModel({ numExperts: 4 });
const shard = { model, weightDtype: "f32", threads: 1 } as const;
let directory = "";
let weights: WeightFile;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "octet-engine-"));
  const path = join(directory, "tiny.weights");
  weights = await writeSyntheticModel({ path, ...shard, seed: 23 });
});
afterAll(() => rm(directory, { recursive: true }));

/** One of them chooses the likeliest token each time, the others draw. */
const requests: ToyRequest[] = Array.from({ length: 3 }, (_, i) => ({
  promptTokenIds: Array.from({ length: 4 + 15 * i }, (_, j) => (i * 31 + j * 17 + 8) % 101),
  sampling: { temperature: i, seed: BigInt(i) },
  stop: { maxTokens: 8 + i },
}));

/** What requests get at once; `beforeAnswer` is told how many experts were asked before. */
async function run(beforeAnswer: (numAsked: number) => Promise<void>) {
  const changes: DeviceChange["kind"][] = [];
  const attention = await openWebGpuAttentionEngine({
    ...shard,
    ...{ weights, numBlocks: 32, blockSizeTokens: 8, allowSoftwareAdapter: true },
    onDeviceChange: ({ kind }) => changes.push(kind),
  });
  const expertIds = Array.from({ length: model.numExperts }, (_, id) =>
    toExpertId(id, model.numExperts),
  );
  const experts = await openReferenceExpertEngine({ ...shard, weights: [weights], expertIds });
  let numAsked = 0;
  const engine = createEngine({
    attention,
    experts: {
      forward: async (call) => {
        await beforeAnswer(numAsked++);
        const output = await experts.forward(call);
        return { output, workerId: "one", address: "in-process", queuedUs: 0, computedUs: 1 };
      },
      close: () => experts.close(),
    },
  });
  const answers = await Promise.all(requests.map((request) => generate(engine, request)));
  await engine.close();
  engine.checkIntegrity();
  await attention.close();
  return {
    answers: answers.map(({ tokenIds, error }) => ({ tokenIds, error })),
    changes,
    numAsked,
  };
}

test("a device lost in the middle of three answers changes no token of them", async () => {
  const undisturbed = await run(async () => {});
  expect(undisturbed.changes).toEqual([]);
  expect(undisturbed.answers.map(({ error }) => error)).toEqual(requests.map(() => undefined));
  expect(undisturbed.answers.map(({ tokenIds }) => tokenIds.length)).toEqual([8, 9, 10]);
  const half = Math.floor(undisturbed.numAsked / 2);
  const disturbed = await run(async (numAsked) => {
    if (numAsked === half) await destroyGpuDevice();
  });
  expect(disturbed.changes).toEqual(["lost", "recovered"]);
  expect(disturbed.answers).toEqual(undisturbed.answers);
  // Everything of the sequences was computed once more: the loss fell where there was something.
  expect(disturbed.numAsked).toBeGreaterThan(undisturbed.numAsked);
});
