// Which models and engine settings the kernels can compute at all.
import assert from "node:assert/strict";
import {
  isQuantised,
  type ModelConfig,
  numExpertsMax,
  numExpertsPerTokenMax,
  quantBlockSize,
  type WeightDtype,
} from "@octet/core";
import { KernelError } from "./kernel-error.ts";

/**
 * @throws {KernelError} "unsupported" if the query heads cannot share the KV heads evenly, heads
 *   cannot be split in halves for RoPE, K is outside 1 .. E, or a quantised row is not whole blocks
 */
export function validateModel(model: ModelConfig, weightDtype: WeightDtype): void {
  const { numAttentionHeads, numKeyValueHeads, headDim, numExperts, numExpertsPerToken } = model;
  if (numAttentionHeads % numKeyValueHeads !== 0) {
    throw new KernelError(
      "unsupported",
      `expected query heads in equal groups, found ${numAttentionHeads} over ${numKeyValueHeads}`,
    );
  }
  if (headDim % 2 !== 0) {
    throw new KernelError("unsupported", `expected an even headDim for RoPE, found ${headDim}`);
  }
  if (!(numExpertsPerToken >= 1 && numExpertsPerToken <= numExperts)) {
    throw new KernelError(
      "unsupported",
      `expected 1 to ${numExperts} experts per token, found ${numExpertsPerToken}`,
    );
  }
  if (!isQuantised(weightDtype)) return;
  const widths = {
    hiddenSize: model.hiddenSize,
    intermediateSize: model.intermediateSize,
    "numAttentionHeads × headDim": numAttentionHeads * headDim,
  };
  for (const [name, width] of Object.entries(widths)) {
    if (width % quantBlockSize !== 0) {
      throw new KernelError(
        "unsupported",
        `${weightDtype} needs ${name} divisible by ${quantBlockSize}, found ${width}; use bf16 or f32`,
      );
    }
  }
}

/**
 * For kernels that keep one token's choice in arrays of fixed sizes.
 *
 * @throws {KernelError} "unsupported" for more experts, or more per token, than any shard may have
 */
export function validateExpertCounts({ numExperts, numExpertsPerToken }: ModelConfig): void {
  if (numExperts > numExpertsMax || numExpertsPerToken > numExpertsPerTokenMax) {
    throw new KernelError(
      "unsupported",
      `expected at most ${numExpertsMax} experts and ${numExpertsPerTokenMax} per token, ` +
        `found ${numExperts} and ${numExpertsPerToken}`,
    );
  }
}

/** Asserts that counts which the program itself chooses (threads, blocks) are at least 1. */
export function assertCounts(counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) {
    assert(Number.isSafeInteger(count) && count >= 1, `${name} must be at least 1, found ${count}`);
  }
}
