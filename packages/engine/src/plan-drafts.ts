// Which sequences have guesses checked in a step: with what the step has to spare, and no more.
import type { PlannedChunk } from "./plan-step.ts";
import type { Schedulable } from "./schedulable.ts";

/** How much of a sequence is in a step. */
export interface ChunkSize {
  /** Of the tokens that are known, at least 1. */
  readonly numTokens: number;
  /** Of the tokens that it guesses after them; only if none that is known is left. */
  readonly numDrafts: number;
}

/** One sequence's share of a step. */
export interface StepChunk<S extends Schedulable> extends ChunkSize {
  readonly sequence: S;
}

/**
 * Adds guesses to the decodes of a step, the same number to each as far as they have any, until
 * the step has `rowsMax` rows: in larger ones a row more costs about what a row brings.
 *
 * No clock, no socket, no randomness: the same plan and guesses give the same drafts.
 *
 * @param plan decodes and prefills, which stay as they are
 * @param rowsMax most rows of a step with drafts
 * @param draftsOf how many guesses a decode has, given that it may have checked so many
 */
export function planDrafts<S extends Schedulable>(
  plan: readonly PlannedChunk<S>[],
  rowsMax: number,
  draftsOf: (sequence: S, countMax: number) => number,
): StepChunk<S>[] {
  const numRows = plan.reduce((sum, { numTokens }) => sum + numTokens, 0);
  let spareRows = Math.max(0, rowsMax - numRows);
  const wanted = plan.map(({ sequence }) => {
    const isGuessing = sequence.phase === "decode" && spareRows > 0;
    return isGuessing ? draftsOf(sequence, spareRows) : 0;
  });
  const granted = wanted.map(() => 0);
  for (let depth = 1; spareRows > 0 && wanted.some((count) => count >= depth); depth++) {
    for (const [i, count] of wanted.entries()) {
      if (count < depth || spareRows === 0) continue;
      granted[i]! += 1;
      spareRows -= 1;
    }
  }
  return plan.map((chunk, i) => ({ ...chunk, numDrafts: granted[i]! }));
}
