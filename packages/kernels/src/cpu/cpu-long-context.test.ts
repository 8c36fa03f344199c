import { replyDtype, toBlockId, type WeightDtype, type WeightFile } from "@octet/core";
import { test } from "vitest";
import type { StepSequence } from "../attention-engine.ts";
import { assertClose, assertSameBits } from "../conformance/compare.ts";
import { once } from "../conformance/once.ts";
import { type Answer, runStep } from "../conformance/run-step.ts";
import { scratchDirectory } from "../conformance/scratch-directory.ts";
import { randomTokens, seededRandom } from "../conformance/seeded-random.ts";
import { writeSyntheticModel } from "../conformance/synthetic-model.ts";
import { tinyModel } from "../conformance/tiny-model.ts";
import { encodeActivations } from "../reference/activation-rows.ts";
import { openCpuAttentionEngine } from "./cpu-attention-engine.ts";
import { supportedCpuIsas } from "./cpu-isa.ts";
import type { CpuIsa } from "./native-addon.ts";

const newPath = scratchDirectory();
const numPositions = 32_768;
const model = tinyModel({
  hiddenSize: 32,
  numLayers: 1,
  numAttentionHeads: 2,
  numKeyValueHeads: 1,
  headDim: 4,
  numExperts: 1,
  numExpertsPerToken: 1,
  vocabSize: 13,
  maxPositions: numPositions,
  ropeTheta: 1e6,
});

/** With keys of zero, every position counts alike. */
function write(keys: "random" | "zero", weightDtype: WeightDtype): Promise<WeightFile> {
  const edit = (name: string, values: Float32Array) => {
    if (keys === "zero" && name.endsWith("k_proj.weight")) values.fill(0);
  };
  return writeSyntheticModel({ path: newPath(), model, weightDtype, seed: 41, edit });
}

function zeros(weightDtype: WeightDtype): Answer {
  const H = model.hiddenSize;
  return (_layer, { tokenIndex }) =>
    encodeActivations(new Float32Array(tokenIndex.length * H), H, replyDtype(weightDtype));
}

interface Run {
  readonly weightDtype: WeightDtype;
  readonly isa?: CpuIsa;
  readonly threads: number;
  /** Most tokens in a step. */
  readonly chunk: number;
}

/** Logits of the last token. */
async function lastLogits(
  weights: WeightFile,
  tokenIds: Int32Array,
  { chunk, ...options }: Run,
): Promise<Float32Array> {
  const pool = { numBlocks: numPositions / 16, blockSizeTokens: 16 };
  const engine = await openCpuAttentionEngine({ model, weights, ...pool, ...options });
  // Neighbours in the sequence are none in memory: 5 and the number of blocks share no factor.
  const order = Array.from({ length: pool.numBlocks }, (_, i) => (i * 5) % pool.numBlocks);
  const blockTable = order.map(toBlockId);
  let logits: Float32Array = new Float32Array();
  for (let first = 0; first < tokenIds.length; first += chunk) {
    const end = Math.min(first + chunk, tokenIds.length);
    const step: StepSequence = {
      tokenIds: tokenIds.subarray(first, end),
      startPosition: first,
      blockTable,
      logits: end === tokenIds.length ? "last" : "none",
    };
    ({ logits } = await runStep(engine, [step], zeros(options.weightDtype)));
  }
  await engine.close();
  return logits;
}

const wholeRun = { weightDtype: "bf16", threads: 2, chunk: numPositions - 1 } as const;
const expected = once(async () => {
  const weights = await write("random", "bf16");
  const tokenIds = randomTokens(seededRandom(5), numPositions, model.vocabSize);
  return { weights, tokenIds, logits: await lastLogits(weights, tokenIds, wholeRun) };
});

test("position 32,767 has the same bits after prompts in other chunks", async () => {
  const { weights, tokenIds, logits } = await expected();
  const run = { ...wholeRun, threads: 3, chunk: 5_000 };
  assertSameBits(await lastLogits(weights, tokenIds, run), logits, "chunks of 5,000");
});

test("position 32,767 has the same bits in the next build", async () => {
  const { weights, tokenIds, logits } = await expected();
  const isas = supportedCpuIsas();
  const isa = isas[1] ?? isas[0]!;
  assertSameBits(await lastLogits(weights, tokenIds, { ...wholeRun, isa }), logits, isa);
});

test("each of 32,768 positions counts, once", async () => {
  const run = { ...wholeRun, weightDtype: "f32" } as const;
  const weights = await write("zero", "f32");
  const few = Int32Array.of(3, 8, 8, 5, 8, 3, 8, 8);
  const many = new Int32Array(numPositions);
  for (let i = 0; i < many.length; i++) many[i] = few[Math.floor((i * few.length) / many.length)]!;
  const mean = await lastLogits(weights, few, run);
  const what = "the mean over as many of each";
  assertClose(await lastLogits(weights, many, run), mean, { bound: 1e-5, what });
});
