// One process and nine compute the same bits, alone and in company.
import { openShard } from "@octet/checkpoint";
import { createGrpcExpertClient, createInProcessExpertClient } from "@octet/cluster";
import { toExpertId, weightDtypes } from "@octet/core";
import type { ExpertClient } from "@octet/engine";
import { type AttentionEngine, openCpuAttentionEngine, openCpuExpertEngine } from "@octet/kernels";
import { InferenceService } from "@octet/protocol";
import { createClient } from "@octet/protocol/grpc";
import { silentLogger } from "@octet/telemetry";
import { expect, test } from "vitest";
import { greedySteps } from "./greedy-steps.ts";
import {
  shardGolden,
  startCoordinator,
  type TemporaryShards,
  TestedWorkers,
} from "./service-cluster.ts";

const numTokens = 24;

/** Eight different prompts of different lengths, all within the golden vocabulary. */
const prompts = Array.from({ length: 8 }, (_, i) => [
  1,
  ...Array.from({ length: 3 + 5 * i }, (_, t) => 3 + ((t * 37 + i * 101) % 300)),
]);

async function openAttention({ index }: TemporaryShards): Promise<AttentionEngine> {
  const { manifest, weights } = await openShard(index.coordinator.dir, { verify: true });
  return openCpuAttentionEngine({
    model: manifest.model,
    weightDtype: manifest.weightDtype,
    weights,
    numBlocks: 64,
    blockSizeTokens: 16,
    threads: 2,
  });
}

async function openInProcessExperts({ index }: TemporaryShards): Promise<ExpertClient> {
  const { model, weightDtype } = index;
  const shards = await Promise.all(
    index.experts.map(({ dir }) => openShard(dir, { verify: true })),
  );
  const weights = shards.map((shard) => shard.weights);
  const expertIds = weights.map((_, id) => toExpertId(id, model.numExperts));
  const options = { model, weightDtype, weights, expertIds, threads: 2 };
  return createInProcessExpertClient([await openCpuExpertEngine(options)]);
}

function connectExperts({ index }: TemporaryShards, workers: TestedWorkers): ExpertClient {
  return createGrpcExpertClient({
    placement: workers.workers.map(({ address }, expertId) => ({
      expertIds: [toExpertId(expertId, index.model.numExperts)],
      address,
    })),
    expected: {
      ...index.model,
      weightDtype: index.weightDtype,
      modelDigest: index.modelDigest,
    },
    log: silentLogger,
  });
}

/** Tokens by way of a coordinator process, all eight prompts at once. */
async function generateAll(
  address: string,
): Promise<{ tokenIds: number[]; cachedPromptTokens: number }[]> {
  const client = createClient(InferenceService, address);
  try {
    return await Promise.all(
      prompts.map(async (ids) => {
        const tokenIds: number[] = [];
        let cachedPromptTokens = 0;
        const call = client.generate(
          {
            input: { case: "tokens", value: { ids } },
            sampling: { temperature: 0 },
            stop: { maxTokens: numTokens, ignoreEos: true },
            details: true,
          },
          { deadlineMs: 20_000 },
        );
        for await (const { event } of call) {
          if (event.case === "delta") tokenIds.push(...event.value.tokenIds);
          if (event.case === "finished") cachedPromptTokens = event.value.cachedPromptTokens;
        }
        return { tokenIds, cachedPromptTokens };
      }),
    );
  } finally {
    client.close();
  }
}

/** Several answers to one prompt, each by its tokens. */
async function sampleAnswers(address: string, n: number): Promise<number[][]> {
  const client = createClient(InferenceService, address);
  try {
    const answers = Array.from({ length: n }, (): number[] => []);
    let numFinished = 0;
    const call = client.generate(
      {
        input: { case: "tokens", value: { ids: prompts[7]! } },
        sampling: { temperature: 1.5, seed: 5n },
        stop: { maxTokens: 12, ignoreEos: true },
        details: true,
        n,
      },
      { deadlineMs: 20_000 },
    );
    for await (const { event } of call) {
      if (event.case === "delta") answers[event.value.index]!.push(...event.value.tokenIds);
      if (event.case === "finished") numFinished += 1;
    }
    expect(numFinished).toBe(n);
    return answers;
  } finally {
    client.close();
  }
}

async function tokensOf(answers: ReturnType<typeof generateAll>): Promise<number[][]> {
  return (await answers).map(({ tokenIds }) => tokenIds);
}

test.each(weightDtypes)(
  "%s: nine processes give the bits of one, for one sequence and for eight at once",
  async (dtype) => {
    await using shards = await shardGolden("plain", dtype);
    await using workers = await TestedWorkers.start(shards.index);
    const attention = await openAttention(shards);
    const near = await openInProcessExperts(shards);
    const far = connectExperts(shards, workers);
    try {
      const together = await greedySteps(attention, near, prompts, numTokens);
      expect(await greedySteps(attention, far, prompts, numTokens)).toEqual(together);
      for (const [i, prompt] of prompts.entries()) {
        const experts = i % 2 === 0 ? near : far;
        expect(await greedySteps(attention, experts, [prompt], numTokens)).toEqual([together[i]]);
      }
      await using coordinator = await startCoordinator(shards.index, workers.placement);
      const generated = await tokensOf(generateAll(coordinator.address));
      expect(generated).toEqual(together.map((trace) => trace.tokenIds));
      const again = await generateAll(coordinator.address);
      expect(again.map(({ tokenIds }) => tokenIds)).toEqual(generated);
      // Whole blocks of the prompt but for its last token.
      const found = prompts.map(({ length }) => Math.floor((length - 1) / 16) * 16);
      expect(again.map(({ cachedPromptTokens }) => cachedPromptTokens)).toEqual(found);
      expect(Math.max(...found)).toBe(32);
      const one = await sampleAnswers(coordinator.address, 1);
      const three = await sampleAnswers(coordinator.address, 3);
      expect(three[0]).toEqual(one[0]);
      expect(new Set(three.map(String)).size).toBe(3);
      // The texts are worth comparing only if they differ from each other.
      expect(new Set(generated.map(String)).size).toBe(prompts.length);
    } finally {
      await far.close();
      await near.close();
      await attention.close();
    }
  },
  120_000,
);
