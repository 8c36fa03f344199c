// Where the addon finds its tensors: byte offsets, in the order it reads them.
import assert from "node:assert/strict";
import type { ExpertId, ModelConfig, WeightFile } from "@octet/core";
import type { RequiredTensor } from "../validate-weights.ts";

/**
 * For each layer, for each expert: w1, w3, w2, each as the index of its file, its offset and its
 * scales' offset (0 without).
 */
export function expertOffsets(
  files: readonly WeightFile[],
  model: ModelConfig,
  expertIds: readonly ExpertId[],
): Float64Array {
  const offsets: number[] = [];
  for (let layer = 0; layer < model.numLayers; layer++) {
    for (const expertId of expertIds) {
      const expert = `model.layers.${layer}.block_sparse_moe.experts.${expertId}`;
      for (const matrix of ["w1", "w3", "w2"]) {
        const name = `${expert}.${matrix}.weight`;
        const file = files.findIndex(({ tensors }) => tensors.has(name));
        offsets.push(file, ...matrixOffsets(files[file]!, name)); // validated: some file has it
      }
    }
  }
  return Float64Array.from(offsets);
}

/** Embedding; each layer's norm, q, k, v, o, norm, gate; final norm; LM head. */
export function attentionOffsets(weights: WeightFile, model: ModelConfig): Float64Array {
  const vector = (name: string) => offsetOf(weights, `${name}.weight`);
  const matrix = (name: string) => matrixOffsets(weights, `${name}.weight`);
  const offsets = matrix("model.embed_tokens");
  for (let layer = 0; layer < model.numLayers; layer++) {
    const prefix = `model.layers.${layer}`;
    offsets.push(vector(`${prefix}.input_layernorm`));
    for (const projection of ["q", "k", "v", "o"]) {
      offsets.push(...matrix(`${prefix}.self_attn.${projection}_proj`));
    }
    offsets.push(vector(`${prefix}.post_attention_layernorm`));
    offsets.push(...matrix(`${prefix}.block_sparse_moe.gate`));
  }
  offsets.push(vector("model.norm"), ...matrix("lm_head"));
  return Float64Array.from(offsets);
}

/** What an engine reads of the file. */
export function requiredBytes(weights: WeightFile, required: readonly RequiredTensor[]): number {
  return required.reduce((sum, { name }) => sum + locationOf(weights, name).lengthBytes, 0);
}

function matrixOffsets(weights: WeightFile, name: string): number[] {
  return [offsetOf(weights, name), weights.tensors.get(`${name}.scales`)?.offsetBytes ?? 0];
}

function offsetOf(weights: WeightFile, name: string): number {
  return locationOf(weights, name).offsetBytes;
}

function locationOf(weights: WeightFile, name: string) {
  const location = weights.tensors.get(name);
  assert(location !== undefined, `${name} was validated`);
  return location;
}
