// What many samples of one thing say.
import assert from "node:assert/strict";

/** The middle of some samples and how far they spread. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly p95: number;
}

/** @param samples at least one, finite */
export function summarise(samples: readonly number[]): Summary {
  return {
    median: quantile(samples, 0.5),
    min: quantile(samples, 0),
    max: quantile(samples, 1),
    p95: quantile(samples, 0.95),
  };
}

/** The middle sample, or the mean of the two in the middle. */
export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

/**
 * The value below which a share of the samples lies, between two neighbours in proportion.
 *
 * @param share 0 .. 1
 */
export function quantile(samples: readonly number[], share: number): number {
  assert(samples.length > 0, "a quantile of no samples");
  assert(samples.every(Number.isFinite), `samples are finite: ${samples.join(", ")}`);
  const sorted = [...samples].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}

/** Each sample of `ours` over the one of `theirs` that was taken beside it. */
export function pairRatios(ours: readonly number[], theirs: readonly number[]): number[] {
  assert.equal(ours.length, theirs.length, "samples come in pairs");
  return ours.map((sample, i) => sample / theirs[i]!);
}
