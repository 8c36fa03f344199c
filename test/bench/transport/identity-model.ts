import type { ModelConfig } from "@octet/core";

/** Mixtral 8x7B's width, at which one bf16 row is 8 KiB and 512 rows are 4 MiB. */
export const identityModel: ModelConfig = {
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
  ropeTheta: 1_000_000,
  rmsNormEps: 1e-5,
  slidingWindow: undefined,
  tieWordEmbeddings: false,
  bosTokenId: 1,
  eosTokenIds: [2],
};
