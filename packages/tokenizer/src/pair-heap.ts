// A binary heap of the pairs that may merge: lowest rank first, among equals the leftmost.

/** Positions stay below it, so that rank and position fit in one double, which orders both. */
const positionRange = 2 ** 32;

/** One pair in the heap. */
export interface RankedPair {
  readonly rank: number;
  readonly position: number;
}

/** Grows as needed; holds no pair twice in one place unless pushed twice. */
export class PairHeap {
  #keys: Float64Array;
  #size = 0;

  constructor(capacity: number) {
    this.#keys = new Float64Array(Math.max(capacity, 1));
  }

  push(rank: number, position: number): void {
    if (this.#size === this.#keys.length) this.#grow();
    const keys = this.#keys;
    const key = rank * positionRange + position;
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (keys[parent]! <= key) break;
      keys[at] = keys[parent]!;
      at = parent;
    }
    keys[at] = key;
  }

  /** The first pair, taken out; undefined when none is left. */
  pop(): RankedPair | undefined {
    if (this.#size === 0) return undefined;
    const first = this.#keys[0]!;
    this.#size -= 1;
    if (this.#size > 0) this.#sink(this.#keys[this.#size]!);
    const rank = Math.floor(first / positionRange);
    return { rank, position: first - rank * positionRange };
  }

  /** Lets `key` sink from the top to its place. */
  #sink(key: number): void {
    const keys = this.#keys;
    const size = this.#size;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && keys[child + 1]! < keys[child]!) child += 1;
      if (keys[child]! >= key) break;
      keys[at] = keys[child]!;
      at = child;
    }
    keys[at] = key;
  }

  #grow(): void {
    const grown = new Float64Array(2 * this.#keys.length);
    grown.set(this.#keys);
    this.#keys = grown;
  }
}
