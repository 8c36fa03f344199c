// Experts' answers back to the tokens that asked, weighted and summed.
import assert from "node:assert/strict";
import type { ExpertOutput, LayerDispatch } from "../attention-engine.ts";
import { decodeActivations } from "./activation-rows.ts";

/**
 * Sums combineWeight × output for each token, from 0, in ascending expert id, each product and
 * each sum rounded to f32.
 *
 * @param outputs one for each batch of `layer`, in the batches' order
 * @returns [T, H] f32
 */
export function combine(
  layer: LayerDispatch,
  outputs: readonly ExpertOutput[],
  { numTokens, hiddenSize: H }: { numTokens: number; hiddenSize: number },
): Float32Array {
  assert.equal(outputs.length, layer.batches.length, "combine needs an output for each batch");
  const K = layer.expertIds.length / numTokens;
  const combined = new Float32Array(numTokens * H);
  layer.batches.forEach(({ expertId, tokenIndex }, batch) => {
    assert.equal(outputs[batch]!.expertId, expertId, "outputs must be in the batches' order");
    const output = decodeActivations(outputs[batch]!.output);
    tokenIndex.forEach((token, row) => {
      const choices = layer.expertIds.subarray(token * K, (token + 1) * K);
      const weight = layer.combineWeights[token * K + choices.indexOf(expertId)]!;
      for (let h = 0; h < H; h++) {
        combined[token * H + h]! += Math.fround(weight * output[row * H + h]!);
      }
    });
  });
  return combined;
}
