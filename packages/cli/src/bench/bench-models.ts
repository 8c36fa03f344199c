// The shapes that kernels are timed at.
import type { ModelConfig } from "@octet/core";
import type { BenchedStep } from "@octet/kernels";

/** A model's shape, and how much of it is computed at once. */
export interface BenchModel {
  readonly model: ModelConfig;
  readonly steps: readonly BenchedStep[];
  /** Tokens that decoded sequences have already. */
  readonly pastTokens: number;
}

const mixtral: ModelConfig = {
  hiddenSize: 4096,
  intermediateSize: 14_336,
  numLayers: 32,
  numAttentionHeads: 32,
  numKeyValueHeads: 8,
  headDim: 128,
  numExperts: 8,
  numExpertsPerToken: 2,
  vocabSize: 32_000,
  maxPositions: 32_768,
  ropeTheta: 1e6,
  rmsNormEps: 1e-5,
  slidingWindow: undefined,
  tieWordEmbeddings: false,
  bosTokenId: 1,
  eosTokenIds: [2],
};

/** "mixtral" is Mixtral 8x7B; "small" has every kernel, and ends soon without a GPU. */
export const benchModels = {
  mixtral: {
    model: mixtral,
    steps: [
      { kind: "decode", rows: 1 },
      { kind: "decode", rows: 8 },
      { kind: "prefill", rows: 256 },
    ],
    pastTokens: 1024,
  },
  small: {
    model: {
      ...mixtral,
      hiddenSize: 256,
      intermediateSize: 512,
      numAttentionHeads: 8,
      numKeyValueHeads: 2,
      headDim: 32,
      vocabSize: 1024,
    },
    steps: [
      { kind: "decode", rows: 1 },
      { kind: "decode", rows: 4 },
      { kind: "prefill", rows: 32 },
    ],
    pastTokens: 64,
  },
} as const satisfies Record<string, BenchModel>;
