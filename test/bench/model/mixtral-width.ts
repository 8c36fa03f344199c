// The sizes of what is measured, and of what the measuring is tested on.
import { benchModels } from "@octet/cli/bench-models";
import type { ModelConfig } from "@octet/core";

/** Mixtral 8x7B, but for its number of layers. */
export function mixtralWidth(numLayers: number): ModelConfig {
  return { ...benchModels.mixtral.model, numLayers };
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
