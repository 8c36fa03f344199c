import type { ModelConfig } from "@octet/core";

/** A model small enough to compute by hand, with every size different from every other. */
export function tinyModel(overrides: Partial<ModelConfig> = {}): ModelConfig {
  return {
    hiddenSize: 64,
    intermediateSize: 96,
    numLayers: 2,
    numAttentionHeads: 4,
    numKeyValueHeads: 2,
    headDim: 16,
    numExperts: 8,
    numExpertsPerToken: 2,
    vocabSize: 101,
    maxPositions: 512,
    ropeTheta: 10_000,
    rmsNormEps: 1e-5,
    slidingWindow: undefined,
    tieWordEmbeddings: false,
    bosTokenId: undefined,
    eosTokenIds: [],
    ...overrides,
  };
}
