import type { MergeRule } from "../pair-merger.ts";

/** Looks through all pairs for the best, merges it, and starts again. */
export function mergeSlowly(symbols: readonly number[], rules: readonly MergeRule[]): number[] {
  const ids = [...symbols];
  for (;;) {
    let best = { rank: rules.length, at: 0 };
    for (let at = 0; at + 1 < ids.length; at++) {
      const rank = rules.findIndex(({ left, right }) => ids[at] === left && ids[at + 1] === right);
      if (rank >= 0 && rank < best.rank) best = { rank, at };
    }
    if (best.rank === rules.length) return ids;
    ids.splice(best.at, 2, rules[best.rank]!.merged);
  }
}
