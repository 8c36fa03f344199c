import assert from "node:assert/strict";
import { replyDtype, toBlockId, type WeightDtype, weightDtypes } from "@octet/core";
import { test, vi } from "vitest";
import type { AttentionEngine, StepSequence } from "../attention-engine.ts";
import { assertSameBits } from "../conformance/compare.ts";
import { runLayers, tokenAnswers } from "../conformance/run-step.ts";
import { scratchDirectory } from "../conformance/scratch-directory.ts";
import { writeSyntheticModel } from "../conformance/synthetic-model.ts";
import { tinyModel } from "../conformance/tiny-model.ts";
import { countsBetween, type GpuCounts } from "./device/counts.ts";
import { useSwiftShader } from "./device/swiftshader.ts";
import { gpuThreadCounts } from "./thread/thread-host.ts";
import { openWebGpuAttentionEngine } from "./webgpu-attention-engine.ts";

useSwiftShader(process.env);
vi.setConfig({ testTimeout: 600_000 }); // SwiftShader compiles each kernel for seconds
const newPath = scratchDirectory();
/** Whole panels and blocks everywhere, as real models have, so that bytes are the format's. */
const model = tinyModel({
  hiddenSize: 128,
  numLayers: 2,
  numAttentionHeads: 8,
  numKeyValueHeads: 2,
  vocabSize: 96,
});

async function openEngine(weightDtype: WeightDtype): Promise<AttentionEngine> {
  const path = newPath();
  const weights = await writeSyntheticModel({
    path,
    model,
    weightDtype,
    seed: 7,
    parts: "attention",
  });
  const pool = { numBlocks: 60, blockSizeTokens: 16 };
  const options = { model, weightDtype, weights, ...pool, threads: 1 };
  return openWebGpuAttentionEngine({ ...options, allowSoftwareAdapter: true });
}

/** Tokens of each sequence before it decodes; the first is past a chunk of attention. */
const promptTokens = [260, 1, 3];

/** Token `index` of the answer of each of the first `numSequences` sequences. */
function decode(numSequences: number, index: number): StepSequence[] {
  return promptTokens.slice(0, numSequences).map((start, sequence) => ({
    tokenIds: Int32Array.of(5 + sequence),
    startPosition: start + index,
    blockTable: Array.from({ length: 20 }, (_, i) => toBlockId(20 * sequence + i)),
    logits: "last",
  }));
}

async function runGreedy(engine: AttentionEngine, sequences: readonly StepSequence[]) {
  const answer = tokenAnswers(engine.model, engine.weightDtype);
  const step = engine.openStep(sequences);
  const { outputs } = await runLayers(step, engine.model.numLayers, answer);
  return step.finishTop(outputs, 1);
}

async function countsOf(run: () => Promise<unknown>): Promise<GpuCounts> {
  const before = (await gpuThreadCounts())!.counts;
  await run();
  return countsBetween(before, (await gpuThreadCounts())!.counts);
}

async function prefill(engine: AttentionEngine): Promise<void> {
  const prompts = decode(3, 0).map((sequence, index) => ({
    ...sequence,
    tokenIds: Int32Array.from({ length: promptTokens[index]! }, (_, i) => i % model.vocabSize),
    startPosition: 0,
  }));
  await runGreedy(engine, prompts);
}

for (const weightDtype of weightDtypes) {
  test(`attention ${weightDtype}: eight dispatches a layer for a token, nothing made anew`, async () => {
    const engine = await openEngine(weightDtype);
    await prefill(engine);
    for (const numSequences of [1, 3]) {
      await runGreedy(engine, decode(numSequences, 0)); // until warm
      const counts = await countsOf(async () => {
        for (let i = 1; i <= 4; i++) {
          await runGreedy(engine, decode(numSequences, i));
        }
      });
      const { weightBytesRead, cacheBytesRead, ...others } = counts;
      const L = model.numLayers;
      assert.deepEqual(others, {
        // Besides: combine and norm, LM head, and the choice in two stages.
        dispatches: 4 * (8 * L + 4),
        submits: 4 * (L + 1),
        readBacks: 4 * (L + 1),
        objectsCreated: 0,
        kernelsCompiled: 0,
      });
      const embedding =
        model.vocabSize * model.hiddenSize * (replyDtype(weightDtype) === "f32" ? 4 : 2);
      const used = engine.weightBytes - embedding;
      // Of the embedding a row a token is read.
      const share = weightBytesRead / 4 / used;
      assert(share >= 1 && share < 1.03, `${numSequences} at once read ${share} of the weights`);
    }
    await engine.close();
  });
}

test("the same steps give the same bits in every run", async () => {
  const runs: { tokenIds: Int32Array; logits: Float32Array }[] = [];
  for (let run = 0; run < 3; run++) {
    const engine = await openEngine("q4");
    await prefill(engine);
    runs.push(await runGreedy(engine, decode(3, 0)));
    await engine.close();
  }
  for (const { tokenIds, logits } of runs) {
    assertSameBits(tokenIds, runs[0]!.tokenIds, "token ids");
    assertSameBits(logits, runs[0]!.logits, "logits");
  }
});
