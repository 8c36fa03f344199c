// The sizes of what is measured, and of what the measuring is tested on.
import type { ModelConfig } from "@octet/core";

/** Mixtral 8x7B, but for its number of layers. */
export function mixtralWidth(numLayers: number): ModelConfig {
  return {
    hiddenSize: 4096,
    intermediateSize: 14_336,
    numLayers,
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
}

/** Mixtral but for its sizes, no two of which are alike, for tests. */
export const tinyMixtral: ModelConfig = {
  ...mixtralWidth(2),
  hiddenSize: 64,
  intermediateSize: 96,
  numAttentionHeads: 4,
  numKeyValueHeads: 2,
  headDim: 32,
  numExperts: 3,
  vocabSize: 288,
  maxPositions: 128,
};
