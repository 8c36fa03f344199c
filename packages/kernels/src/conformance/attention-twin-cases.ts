// The shapes and batches at which attention engines are held against the reference.
import { type ModelConfig, type WeightDtype, weightDtypes } from "@octet/core";
import type { StepSequence } from "../attention-engine.ts";
import { tinyModel } from "./tiny-model.ts";

/** Which of a sequence's tokens a step takes. */
export interface TokenRange {
  readonly first: number;
  readonly end: number;
  /** "all" unless told. */
  readonly logits?: StepSequence["logits"];
}

export interface AttentionTwinCase {
  readonly name: string;
  readonly model: ModelConfig;
  readonly dtypes: readonly WeightDtype[];
  /** Tokens of each sequence in the end. */
  readonly lengths: readonly number[];
  /** For each step, which tokens of each sequence it takes; undefined leaves one out. */
  readonly steps: readonly (readonly (TokenRange | undefined)[])[];
  /** 16 unless told. */
  readonly blockSizeTokens?: number;
  readonly embeddingDtype?: "f32" | "bf16";
  /** The file's unless told. */
  readonly timeoutMs?: number;
}

const unblocked: readonly WeightDtype[] = ["f32", "f16", "bf16"];

/** Prompts of 1, 5, 17 and 33 tokens; decodes beside a chunk and a new prompt; decodes. */
const mixed: Pick<AttentionTwinCase, "lengths" | "steps"> = {
  lengths: [3, 9, 19, 35, 9],
  steps: [
    [
      { first: 0, end: 1 },
      { first: 0, end: 5, logits: "last" },
      { first: 0, end: 17, logits: "none" },
      { first: 0, end: 33 },
    ],
    [
      { first: 1, end: 2, logits: "last" },
      { first: 5, end: 8, logits: "none" },
      { first: 17, end: 18 },
      { first: 33, end: 34 },
      { first: 0, end: 8 },
    ],
    [
      { first: 2, end: 3 },
      { first: 8, end: 9 },
      { first: 18, end: 19 },
      { first: 34, end: 35 },
      { first: 8, end: 9, logits: "none" },
    ],
  ],
};

/** One prompt and two decodes. */
function onePrompt(length: number): Pick<AttentionTwinCase, "lengths" | "steps"> {
  return {
    lengths: [length + 2],
    steps: [
      [{ first: 0, end: length }],
      [{ first: length, end: length + 1 }],
      [{ first: length + 1, end: length + 2 }],
    ],
  };
}

export const attentionTwinCases: readonly AttentionTwinCase[] = [
  { name: "two query heads to a KV head", model: tinyModel(), dtypes: weightDtypes, ...mixed },
  {
    name: "H=40 headDim=10",
    model: tinyModel({ hiddenSize: 40, headDim: 10, numKeyValueHeads: 4, vocabSize: 61 }),
    dtypes: unblocked,
    ...mixed,
  },
  {
    name: "heads wider together than H",
    model: tinyModel({ headDim: 40, numKeyValueHeads: 4, numLayers: 1 }),
    dtypes: weightDtypes,
    ...mixed,
  },
  {
    name: "heads narrower together than H, four to a KV head",
    model: tinyModel({ hiddenSize: 96, headDim: 4, numAttentionHeads: 8 }),
    dtypes: weightDtypes,
    ...mixed,
  },
  {
    // More to a KV head than a vector has components, and not a multiple of them.
    name: "six query heads to each of two KV heads",
    model: tinyModel({ numAttentionHeads: 12, numLayers: 1 }),
    dtypes: ["f32", "q8"],
    ...mixed,
  },
  {
    name: "one KV head of Mixtral's 128",
    model: tinyModel({ headDim: 128, numAttentionHeads: 3, numKeyValueHeads: 1, numLayers: 1 }),
    dtypes: weightDtypes,
    ...mixed,
  },
  {
    name: "one block to a row, panels not full",
    model: tinyModel({
      hiddenSize: 32,
      headDim: 6,
      numAttentionHeads: 16,
      numKeyValueHeads: 1,
      vocabSize: 13,
    }),
    dtypes: weightDtypes,
    ...mixed,
  },
  {
    name: "E=16 K=4, three layers",
    model: tinyModel({ numExperts: 16, numExpertsPerToken: 4, numLayers: 3 }),
    dtypes: weightDtypes,
    ...mixed,
  },
  {
    name: "E=64 K=8",
    model: tinyModel({ numExperts: 64, numExpertsPerToken: 8 }),
    dtypes: ["f32"],
    ...mixed,
  },
  { name: "K=1", model: tinyModel({ numExpertsPerToken: 1 }), dtypes: weightDtypes, ...mixed },
  {
    name: "E=1",
    model: tinyModel({ numExperts: 1, numExpertsPerToken: 1 }),
    dtypes: weightDtypes,
    ...mixed,
  },
  {
    name: "an eps that would be missed",
    model: tinyModel({ rmsNormEps: 0.01 }),
    dtypes: ["f32"],
    ...mixed,
  },
  { name: "window of 7", model: tinyModel({ slidingWindow: 7 }), dtypes: weightDtypes, ...mixed },
  { name: "window of 1", model: tinyModel({ slidingWindow: 1 }), dtypes: ["f32"], ...mixed },
  {
    name: "window of a block and its multiple",
    model: tinyModel({ slidingWindow: 16 }),
    dtypes: ["f32"],
    ...mixed,
  },
  {
    name: "window no sequence reaches",
    model: tinyModel({ slidingWindow: 400 }),
    dtypes: ["f32"],
    ...mixed,
  },
  {
    name: "300 tokens, theta a million",
    model: tinyModel({ ropeTheta: 1e6 }),
    dtypes: weightDtypes,
    ...onePrompt(300),
  },
  ...[255, 256, 257, 511, 512, 513, 770].map((length) => ({
    name: `${length} tokens`,
    model: tinyModel({ maxPositions: 1024, numLayers: 1 }),
    dtypes: unblocked,
    ...onePrompt(length - 1),
  })),
  {
    name: "600 tokens, window of 270",
    model: tinyModel({ maxPositions: 1024, numLayers: 1, slidingWindow: 270 }),
    dtypes: unblocked,
    ...onePrompt(600),
  },
  {
    name: "600 tokens, blocks of 23, three query heads to a KV head of 6",
    model: tinyModel({ maxPositions: 1024, numLayers: 1, numAttentionHeads: 6, headDim: 6 }),
    dtypes: unblocked,
    blockSizeTokens: 23,
    ...onePrompt(600),
  },
  { name: "blocks of 1 token", model: tinyModel(), dtypes: ["f32"], blockSizeTokens: 1, ...mixed },
  {
    name: "blocks of 7 tokens",
    model: tinyModel(),
    dtypes: weightDtypes,
    blockSizeTokens: 7,
    ...mixed,
  },
  {
    name: "f32 embedding",
    model: tinyModel(),
    dtypes: weightDtypes,
    embeddingDtype: "f32",
    ...mixed,
  },
  { name: "bf16 embedding", model: tinyModel(), dtypes: ["f32"], embeddingDtype: "bf16", ...mixed },
  {
    name: "one layer of Mixtral's width",
    model: tinyModel({
      hiddenSize: 4096,
      numLayers: 1,
      numAttentionHeads: 32,
      numKeyValueHeads: 8,
      headDim: 128,
      ropeTheta: 1e6,
    }),
    dtypes: ["bf16", "q8", "q4"],
    lengths: [3],
    steps: [[{ first: 0, end: 2, logits: "last" }], [{ first: 2, end: 3 }]],
    timeoutMs: 120_000, // seconds on a machine of its own
  },
];
