// Tokens out to the experts they chose.
import { type ActivationDtype, toExpertId } from "@octet/core";
import type { ExpertBatch } from "../attention-engine.ts";
import { encodeActivations } from "./activation-rows.ts";

/** The shape of one layer's hidden states, and the dtype they travel in. */
export interface DispatchShape {
  readonly hiddenSize: number;
  readonly numExperts: number;
  readonly dtype: ActivationDtype;
}

/**
 * Groups tokens by the experts they chose. An expert that nobody chose gets no batch.
 *
 * @param hidden [T, H] f32
 * @param expertIds [T, K]
 * @returns batches in ascending expert id, each with its tokens in ascending order
 */
export function dispatch(
  hidden: Float32Array,
  expertIds: Int32Array,
  { hiddenSize: H, numExperts, dtype }: DispatchShape,
): ExpertBatch[] {
  const numExpertsPerToken = (expertIds.length * H) / hidden.length;
  const batches: ExpertBatch[] = [];
  for (let expert = 0; expert < numExperts; expert++) {
    const tokens: number[] = [];
    expertIds.forEach((id, i) => {
      if (id === expert) tokens.push(Math.floor(i / numExpertsPerToken));
    });
    if (tokens.length === 0) continue;
    const rows = new Float32Array(tokens.length * H);
    tokens.forEach((token, row) => {
      rows.set(hidden.subarray(token * H, (token + 1) * H), row * H);
    });
    batches.push({
      expertId: toExpertId(expert, numExperts),
      input: encodeActivations(rows, H, dtype),
      tokenIndex: Int32Array.from(tokens),
    });
  }
  return batches;
}
