// Token ids by falling logit, sorted only as far as somebody looks.
import assert from "node:assert/strict";

/** Most buckets the logits are spread over; a bucket is sorted when it is reached. */
const numBucketsMax = 1024;
/** Ids fit below the 32 bits of a logit in a double's 53. */
const idRange = 2 ** 21;

/**
 * The tokens in falling order of logit, ties to the lower id.
 *
 * Building it is one counting sort by the logit's place between the smallest and the largest; the
 * first m ids then cost the sorting of their buckets alone.
 */
export class LikeliestFirst {
  /** Keys grouped by bucket; those of buckets before #nextBucket are in order. */
  readonly #keys: Float64Array;
  /** One more than there are buckets: where each bucket begins. */
  readonly #starts: Uint32Array;
  #nextBucket = 0;

  /**
   * @param logits [V], finite, V <= 2^21; not kept
   * @param range the smallest and the largest of them
   */
  constructor(logits: Float32Array, range: { min: number; max: number }) {
    assert(logits.length > 0 && logits.length <= idRange, `vocabulary of ${logits.length}`);
    const numBuckets = Math.min(numBucketsMax, logits.length);
    const buckets = bucketsOf(logits, { ...range, numBuckets });
    this.#starts = startsOf(buckets, numBuckets);
    this.#keys = keysByBucket(logits, buckets, this.#starts);
  }

  /** The id of rank `rank`, 0 .. V - 1, 0 for the likeliest. */
  at(rank: number): number {
    if (rank >= this.#starts[this.#nextBucket]!) this.#sortThrough(rank);
    return this.#keys[rank]! % idRange;
  }

  /** Sorts on through `rank`, and at least as many keys again: few calls, each worth its cost. */
  #sortThrough(rank: number): void {
    assert(rank < this.#keys.length, `rank ${rank} of ${this.#keys.length}`);
    const start = this.#starts[this.#nextBucket]!;
    const enough = Math.min(Math.max(rank + 1, 2 * start), this.#keys.length);
    while (this.#starts[this.#nextBucket]! < enough) this.#nextBucket += 1;
    this.#keys.subarray(start, this.#starts[this.#nextBucket]).sort();
  }
}

/** [V]: 0 for the largest logits, numBuckets - 1 for the smallest. */
function bucketsOf(
  logits: Float32Array,
  { min, max, numBuckets }: { min: number; max: number; numBuckets: number },
): Uint16Array {
  const scale = max > min ? (numBuckets - 1) / (max - min) : 0;
  const buckets = new Uint16Array(logits.length);
  for (let id = 0; id < logits.length; id++) buckets[id] = (max - logits[id]!) * scale;
  return buckets;
}

function startsOf(buckets: Uint16Array, numBuckets: number): Uint32Array {
  const starts = new Uint32Array(numBuckets + 1);
  for (let id = 0; id < buckets.length; id++) starts[buckets[id]! + 1]! += 1;
  for (let bucket = 0; bucket < numBuckets; bucket++) starts[bucket + 1]! += starts[bucket]!;
  return starts;
}

/**
 * Keys whose rising order is falling logit, then rising id: the logit's bits, mapped so that they
 * fall as it rises, times idRange, plus the id.
 */
function keysByBucket(
  logits: Float32Array,
  buckets: Uint16Array,
  starts: Uint32Array,
): Float64Array {
  const positive = new Float32Array(logits.length);
  for (let id = 0; id < logits.length; id++) positive[id] = logits[id]! + 0; // -0 becomes 0
  const bits = new Uint32Array(positive.buffer);
  const next = starts.slice();
  const keys = new Float64Array(logits.length);
  for (let id = 0; id < logits.length; id++) {
    const b = bits[id]!;
    const falling = b >>> 31 === 1 ? b : ~b & 0x7fffffff;
    const bucket = buckets[id]!;
    keys[next[bucket]!] = falling * idRange + id;
    next[bucket]! += 1;
  }
  return keys;
}
