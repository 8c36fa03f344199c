import type { LayerDispatch } from "../attention-engine.ts";
import { softmax } from "./attention.ts";

/** Which experts each token goes to, and how much each counts. */
export type ExpertSelection = Pick<LayerDispatch, "expertIds" | "combineWeights">;

/**
 * Picks each token's experts: the K largest gate logits, softmaxed over those K alone.
 *
 * @param logits gate output, [T, E] f32, finite
 * @returns expertIds [T, K] by falling logit, ties to the lower id; combineWeights [T, K] f32,
 *   each row sums to 1
 * @throws {RangeError} if K is outside 1 .. E, or `logits` is not whole rows
 */
export function selectExperts(
  logits: Float32Array,
  { numExperts, numExpertsPerToken }: { numExperts: number; numExpertsPerToken: number },
): ExpertSelection {
  const numTokens = logits.length / numExperts;
  if (!Number.isInteger(numTokens)) {
    throw new RangeError(`expected whole rows of ${numExperts} logits, found ${logits.length}`);
  }
  if (!(numExpertsPerToken >= 1 && numExpertsPerToken <= numExperts)) {
    throw new RangeError(`expected 1 to ${numExperts} per token, found ${numExpertsPerToken}`);
  }
  const expertIds = new Int32Array(numTokens * numExpertsPerToken);
  const combineWeights = new Float32Array(numTokens * numExpertsPerToken);
  for (let token = 0; token < numTokens; token++) {
    const row = logits.subarray(token * numExperts, (token + 1) * numExperts);
    const chosen = Array.from(row.keys())
      .sort((a, b) => row[b]! - row[a]! || a - b)
      .slice(0, numExpertsPerToken);
    expertIds.set(chosen, token * numExpertsPerToken);
    const weights = softmax(Float64Array.from(chosen, (expert) => row[expert]!));
    combineWeights.set(weights, token * numExpertsPerToken);
  }
  return { expertIds, combineWeights };
}
