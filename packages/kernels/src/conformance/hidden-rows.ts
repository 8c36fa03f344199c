// The hidden states behind a dispatch, and how clearly the gate chose among its experts.
import assert from "node:assert/strict";
import type { ModelConfig } from "@octet/core";
import type { LayerDispatch } from "../attention-engine.ts";
import { decodeActivations } from "../reference/activation-rows.ts";

/** [T, H]: each token's row as its first expert receives it. */
export function hiddenRows(
  { batches, expertIds }: LayerDispatch,
  { hiddenSize: H, numExpertsPerToken }: ModelConfig,
): Float64Array {
  const hidden = new Float64Array((expertIds.length / numExpertsPerToken) * H).fill(Number.NaN);
  for (const { input, tokenIndex } of [...batches].reverse()) {
    const rows = decodeActivations(input);
    tokenIndex.forEach((token, row) => {
      hidden.set(rows.subarray(row * H, (row + 1) * H), token * H);
    });
  }
  assert(!hidden.some(Number.isNaN), "every token is in some batch");
  return hidden;
}

/**
 * Tokens whose chosen experts, and the best one left out, are told apart by more than `margin`
 * times the largest logit. The rest may be chosen otherwise by an engine that rounds otherwise.
 *
 * @param gate [E, H]
 */
export function clearTokens(
  hidden: Float64Array,
  gate: Float32Array,
  { model, margin }: { model: ModelConfig; margin: number },
): number[] {
  const { hiddenSize: H, numExperts, numExpertsPerToken } = model;
  const tokens: number[] = [];
  for (let token = 0; token < hidden.length / H; token++) {
    const logits = Array.from({ length: numExperts }, (_, expert) => {
      let sum = 0;
      for (let h = 0; h < H; h++) sum += hidden[token * H + h]! * gate[expert * H + h]!;
      return sum;
    });
    const needed = margin * Math.max(...logits.map(Math.abs));
    const falling = logits.toSorted((a, b) => b - a).slice(0, numExpertsPerToken + 1);
    const gaps = falling.slice(1).map((logit, i) => falling[i]! - logit);
    if (gaps.every((gap) => gap > needed)) tokens.push(token);
  }
  return tokens;
}
