// Byte-pair encoding over token ids: the best-ranked pair merges first, until none can.
import { PairHeap } from "./pair-heap.ts";

/** One rule: where `left` stands before `right`, they may become `merged`. */
export interface MergeRule {
  readonly left: number;
  readonly right: number;
  readonly merged: number;
}

const noRank = -1;

/**
 * Applies merge rules in n log n, whatever the text. The tokenizer library's own loop gives the
 * same ids (a test compares), but keys its table by JSON text: it takes 4 to 8 seconds a megabyte,
 * during which the process could answer nobody.
 */
export class PairMerger {
  /** left × vocabSize + right → rank: the rule's place in the list, lower merges first. */
  readonly #ranks = new Map<number, number>();
  readonly #mergedIds: Int32Array;
  readonly #vocabSize: number;

  /** @param rules in order of rank; ids below `vocabSize` */
  constructor(rules: readonly MergeRule[], vocabSize: number) {
    this.#vocabSize = vocabSize;
    this.#mergedIds = Int32Array.from(rules, (rule) => rule.merged);
    rules.forEach(({ left, right }, rank) => {
      this.#ranks.set(left * vocabSize + right, rank);
    });
  }

  /** Merges in place. @returns the part of `ids` that still holds tokens */
  merge(ids: Int32Array): Int32Array {
    const count = ids.length;
    const next = new Int32Array(count);
    const previous = new Int32Array(count);
    for (let at = 0; at < count; at++) {
      next[at] = at + 1;
      previous[at] = at - 1;
    }
    /** The rank of the pair that begins here; what the heap says otherwise is out of date. */
    const rankAt = new Int32Array(count).fill(noRank);
    const heap = new PairHeap(count);
    const rank = (at: number): void => {
      const after = next[at]!;
      const found = after < count ? this.#rankOf(ids[at]!, ids[after]!) : noRank;
      rankAt[at] = found;
      if (found !== noRank) heap.push(found, at);
    };
    for (let at = 0; at < count; at++) rank(at);
    for (let pair = heap.pop(); pair !== undefined; pair = heap.pop()) {
      const { position: left } = pair;
      if (rankAt[left] !== pair.rank) continue;
      const right = next[left]!;
      const after = next[right]!;
      ids[left] = this.#mergedIds[pair.rank]!;
      rankAt[right] = noRank;
      next[left] = after;
      if (after < count) previous[after] = left;
      rank(left);
      if (previous[left]! >= 0) rank(previous[left]!);
    }
    return compact(ids, next);
  }

  #rankOf(left: number, right: number): number {
    return this.#ranks.get(left * this.#vocabSize + right) ?? noRank;
  }
}

/** Moves the survivors, which `next` links from the first on, to the front. */
function compact(ids: Int32Array, next: Int32Array): Int32Array {
  let numLeft = 0;
  for (let at = 0; at < ids.length; at = next[at]!) ids[numLeft++] = ids[at]!;
  return ids.subarray(0, numLeft);
}
