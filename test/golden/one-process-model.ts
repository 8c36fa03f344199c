// A model in this process: sharded, opened on one engine kind, asked through the seams.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openShard, readShardSet, shardCheckpoint } from "@octet/checkpoint";
import { createInProcessExpertClient } from "@octet/cluster";
import { toBlockId, toExpertId, type WeightDtype } from "@octet/core";
import { createEngine, type ExpertClient, type TokenLogprobs } from "@octet/engine";
import {
  type AttentionEngine,
  type AttentionEngineOptions,
  type EngineKind,
  type ExpertEngineOptions,
  type ExpertOutput,
  openCpuAttentionEngine,
  openCpuExpertEngine,
  openReferenceAttentionEngine,
  openReferenceExpertEngine,
  openWebGpuAttentionEngine,
  openWebGpuExpertEngine,
  type StepSequence,
} from "@octet/kernels";
import { goldenModelDir } from "./golden-files.ts";

/** A sequence to run, and how its tokens are cut into steps. */
export interface ChunkedSequence {
  readonly tokenIds: readonly number[];
  /** Tokens of each step; they add up to all of them. */
  readonly chunks: readonly number[];
}

/** What a model made of one sequence of t tokens. */
export interface SequenceResult {
  /** [t, V] */
  readonly logits: Float32Array;
  /** [t, L, K]: each token's experts in each layer, by falling gate logit. */
  readonly experts: Uint8Array;
}

const openers = {
  reference: { attention: openReferenceAttentionEngine, expert: openReferenceExpertEngine },
  cpu: { attention: openCpuAttentionEngine, expert: openCpuExpertEngine },
  webgpu: {
    attention: (options: AttentionEngineOptions) =>
      openWebGpuAttentionEngine({ ...options, allowSoftwareAdapter: true }),
    expert: (options: ExpertEngineOptions) =>
      openWebGpuExpertEngine({ ...options, allowSoftwareAdapter: true }),
  },
};

/** The kinds of engine that every rule is tried on. */
export const engineKinds = ["reference", "cpu"] as const satisfies readonly EngineKind[];

/** Those and the GPU's, which SwiftShader is too slow to hold to every rule. */
export type TestedKind = EngineKind;

const blockSizeTokens = 16;
/** Room for 384 tokens of each sequence in {@link OneProcessModel.run}. */
const blocksPerSequence = 24;
/** Most sequences of one {@link OneProcessModel.run}. */
export const sequencesMax = 8;
const threads = 2;
const callDeadlineMs = 60_000;

/** Shards a golden model, opens it, lets `use` have it, and leaves nothing behind. */
export async function withGoldenModel<Result>(
  about: { name: string; weightDtype: WeightDtype; kind: TestedKind },
  use: (model: OneProcessModel) => Promise<Result>,
): Promise<Result> {
  const { name, weightDtype, kind } = about;
  const outDir = await mkdtemp(join(tmpdir(), `octet-golden-${name}-`));
  try {
    await shardCheckpoint({ sourceDir: goldenModelDir(name), outDir, weightDtype });
    return await withShards(outDir, kind, use);
  } finally {
    await rm(outDir, { recursive: true });
  }
}

/** Opens a set of shards, and closes it after `use`. */
export async function withShards<Result>(
  dir: string,
  kind: TestedKind,
  use: (model: OneProcessModel) => Promise<Result>,
): Promise<Result> {
  const set = await readShardSet(dir);
  const { model, weightDtype } = set;
  const open = openers[kind];
  const { weights } = await openShard(set.coordinator.dir, { verify: true });
  const kv = { numBlocks: blocksPerSequence * sequencesMax, blockSizeTokens };
  const attention = await open.attention({ model, weightDtype, weights, threads, ...kv });
  const shards = await Promise.all(
    set.experts.map((entry) => openShard(entry.dir, { verify: true })),
  );
  const expertEngine = await open.expert({
    model,
    weightDtype,
    weights: shards.map((shard) => shard.weights),
    expertIds: shards.map((_, id) => toExpertId(id, model.numExperts)),
    threads,
  });
  const experts = createInProcessExpertClient([expertEngine]);
  try {
    return await use(new OneProcessModel(attention, experts));
  } finally {
    await experts.close();
    await Promise.all([attention.close(), expertEngine.close()]);
  }
}

/** One model on one engine kind. */
export class OneProcessModel {
  readonly #attention: AttentionEngine;
  readonly #experts: ExpertClient;

  constructor(attention: AttentionEngine, experts: ExpertClient) {
    this.#attention = attention;
    this.#experts = experts;
  }

  get vocabSize(): number {
    return this.#attention.model.vocabSize;
  }

  get numLayers(): number {
    return this.#attention.model.numLayers;
  }

  /** Runs sequences side by side: each step takes the next chunk of each that has one left. */
  async run(sequences: readonly ChunkedSequence[]): Promise<SequenceResult[]> {
    assert(sequences.length <= sequencesMax);
    const { vocabSize, numLayers, numExpertsPerToken } = this.#attention.model;
    const expertsPerToken = numLayers * numExpertsPerToken;
    const results = sequences.map(({ tokenIds }) => ({
      logits: new Float32Array(tokenIds.length * vocabSize),
      experts: new Uint8Array(tokenIds.length * expertsPerToken),
    }));
    const starts = sequences.map(() => 0);
    const numSteps = Math.max(...sequences.map(({ chunks }) => chunks.length));
    for (let stepIndex = 0; stepIndex < numSteps; stepIndex++) {
      const members = sequences.flatMap(({ tokenIds, chunks }, slot) => {
        const numTokens = chunks[stepIndex];
        if (numTokens === undefined) return [];
        const start = starts[slot]!;
        starts[slot] = start + numTokens;
        const chunk = Int32Array.from(tokenIds.slice(start, starts[slot]));
        return [{ slot, start, sequence: toStepSequence(chunk, start, slot) }];
      });
      const step = await this.#runStep(members.map(({ sequence }) => sequence));
      let row = 0;
      for (const { slot, start, sequence } of members) {
        const end = row + sequence.tokenIds.length;
        const { logits, experts } = results[slot]!;
        logits.set(step.logits.subarray(row * vocabSize, end * vocabSize), start * vocabSize);
        const chosen = step.experts.subarray(row * expertsPerToken, end * expertsPerToken);
        experts.set(chosen, start * expertsPerToken);
        row = end;
      }
    }
    sequences.forEach(({ tokenIds }, slot) => {
      assert.equal(starts[slot], tokenIds.length, "chunks add up");
    });
    return results;
  }

  /** Greedy texts of several prompts at once, generated by one engine. */
  async generateGreedy(
    requests: readonly { readonly promptTokenIds: ArrayLike<number>; readonly maxTokens: number }[],
  ): Promise<number[][]> {
    const engine = createEngine({ attention: this.#attention, experts: this.#experts });
    const answers = requests.map(async ({ promptTokenIds, maxTokens }) => {
      const tokenIds: number[] = [];
      const events = engine.generate({
        promptTokenIds,
        sampling: { temperature: 0 },
        stop: { maxTokens, ignoreEos: true },
        decoder: { push: () => "", flush: () => "" },
      });
      for await (const event of events) {
        if (event.kind === "delta") tokenIds.push(...event.tokenIds);
      }
      return tokenIds;
    });
    const texts = await Promise.all(answers);
    await engine.close();
    engine.checkIntegrity();
    return texts;
  }

  /** Logprobs of a prompt's tokens from the second on, and of so many likeliest ones beside each. */
  async scorePrompt(promptTokenIds: ArrayLike<number>, numTop: number): Promise<TokenLogprobs[]> {
    const engine = createEngine({ attention: this.#attention, experts: this.#experts });
    const scores: TokenLogprobs[] = [];
    const events = engine.generate({
      promptTokenIds,
      stop: { maxTokens: 0 },
      output: { promptTopLogprobs: numTop },
      decoder: { push: () => "", flush: () => "" },
    });
    for await (const event of events) {
      if (event.kind === "prompt-logprobs") scores.push(...event.tokens);
    }
    await engine.close();
    return scores;
  }

  /** All rows of one step: logits [T, V] and experts [T, L, K]. */
  async #runStep(sequences: readonly StepSequence[]): Promise<SequenceResult> {
    const { numLayers, numExpertsPerToken } = this.#attention.model;
    const step = this.#attention.openStep(sequences);
    const experts = new Uint8Array(step.numTokens * numLayers * numExpertsPerToken);
    let previous: ExpertOutput[] = [];
    for (let layer = 0; layer < numLayers; layer++) {
      const { batches, expertIds } = await step.runLayer(layer, previous);
      for (let token = 0; token < step.numTokens; token++) {
        const from = token * numExpertsPerToken;
        const chosen = expertIds.subarray(from, from + numExpertsPerToken);
        experts.set(chosen, (token * numLayers + layer) * numExpertsPerToken);
      }
      previous = await Promise.all(
        batches.map(async ({ expertId, input }) => {
          const call = { layer, expertId, input };
          const { output } = await this.#experts.forward(call, { deadlineMs: callDeadlineMs });
          return { expertId, output };
        }),
      );
    }
    return { logits: await step.finish(previous), experts };
  }
}

/** Blocks lie far apart and backwards, so that nothing can rely on their being neighbours. */
function toStepSequence(tokenIds: Int32Array, startPosition: number, slot: number): StepSequence {
  const numBlocks = Math.ceil((startPosition + tokenIds.length) / blockSizeTokens);
  const blockTable = Array.from({ length: numBlocks }, (_, block) =>
    toBlockId((blocksPerSequence - 1 - block) * sequencesMax + slot),
  );
  return { tokenIds, startPosition, blockTable, logits: "all" };
}
