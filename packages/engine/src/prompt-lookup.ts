// A guess at a sequence's next tokens: what came the last time its latest tokens came.

/** Lengths of the runs that are looked for, longest first: a longer one is a better guess. */
export const gramSizes: readonly number[] = [4, 3, 2];
/** Tokens that one call adds to the index: a long prompt does not make others wait. */
export const indexedAtOnce = 4096;
/** Slots looked at for one run. So many are taken in a row by design of somebody's, not by chance. */
const probesMax = 64;

/** What may come next. */
export interface Guess {
  readonly tokenIds: readonly number[];
  /** Of the run that it goes by, in tokens. */
  readonly runLength: number;
}

/**
 * Finds the longest run of 2 to 4 tokens that ends a sequence and came before in it, and guesses
 * that what followed it the last time follows again. Takes time for the tokens that are new, and
 * some 50 bytes for each token.
 *
 * @see https://github.com/apoorvumang/prompt-lookup-decoding for the idea
 */
export class PromptLookup {
  readonly #indexes = gramSizes.map((size) => new GramIndex(size));
  /** Runs that end before this token are indexed. */
  #next = 0;

  /**
   * @param tokenIds the sequence's, from its first on: always the same, and perhaps more
   * @returns `count` tokens: a repetition is carried on as far as need be. Undefined if no run was
   *   found, or a long prompt is still being indexed.
   */
  guess(tokenIds: readonly number[], count: number): Guess | undefined {
    const end = Math.min(tokenIds.length, this.#next + indexedAtOnce);
    for (; this.#next < end; this.#next++) {
      for (const index of this.#indexes) index.add(tokenIds, this.#next);
    }
    if (end < tokenIds.length) return undefined;
    for (const index of this.#indexes) {
      const next = index.find(tokenIds);
      if (next === undefined) continue;
      return { tokenIds: carryOn(tokenIds, next, count), runLength: index.size };
    }
    return undefined;
  }
}

/**
 * Copies from `next` on; where the sequence ends, from what was copied: of a b c a b c a b, with
 * the last a b found at its second place, c a b c a b...
 */
function carryOn(tokenIds: readonly number[], next: number, count: number): number[] {
  const draft: number[] = [];
  for (let from = next; draft.length < count; from++) {
    draft.push(from < tokenIds.length ? tokenIds[from]! : draft[from - tokenIds.length]!);
  }
  return draft;
}

/** Where each run of `size` tokens came last, and a token after it. */
class GramIndex {
  readonly size: number;
  /** Open addressing: the token after the run, which is never 0; 0 is an empty slot. */
  #slots = new Int32Array(64);
  #numTaken = 0;

  constructor(size: number) {
    this.size = size;
  }

  /** Notes the run before token `next`. */
  add(tokenIds: readonly number[], next: number): void {
    if (next < this.size) return;
    const slot = this.#slotOf(tokenIds, next);
    if (slot === undefined) return;
    if (this.#slots[slot] === 0) this.#numTaken += 1;
    this.#slots[slot] = next;
    if (2 * this.#numTaken > this.#slots.length) this.#grow(tokenIds);
  }

  /** The token after the last run like the one that ends the sequence, if there was one. */
  find(tokenIds: readonly number[]): number | undefined {
    if (tokenIds.length < this.size) return undefined;
    const slot = this.#slotOf(tokenIds, tokenIds.length);
    const next = slot === undefined ? 0 : this.#slots[slot]!;
    return next === 0 ? undefined : next;
  }

  /** Where the run before `next` is, or could be; undefined if there is no room near its place. */
  #slotOf(tokenIds: readonly number[], next: number): number | undefined {
    const mask = this.#slots.length - 1;
    const home = hashRun(tokenIds, next, this.size);
    for (let probe = 0; probe < probesMax; probe++) {
      const slot = (home + probe) & mask;
      const taken = this.#slots[slot]!;
      if (taken === 0 || isSameRun(tokenIds, { a: taken, b: next, size: this.size })) return slot;
    }
    return undefined;
  }

  #grow(tokenIds: readonly number[]): void {
    const before = this.#slots;
    this.#slots = new Int32Array(2 * before.length);
    this.#numTaken = 0;
    for (const next of before) if (next !== 0) this.add(tokenIds, next);
  }
}

/** Of the tokens before `end`. */
function hashRun(tokenIds: readonly number[], end: number, size: number): number {
  let bits = 0;
  for (let i = end - size; i < end; i++) {
    bits = Math.imul(bits ^ tokenIds[i]!, 0x9e3779b1);
    bits ^= bits >>> 15;
  }
  return bits >>> 0;
}

function isSameRun(
  tokenIds: readonly number[],
  { a, b, size }: { readonly a: number; readonly b: number; readonly size: number },
): boolean {
  for (let i = 1; i <= size; i++) if (tokenIds[a - i] !== tokenIds[b - i]) return false;
  return true;
}
