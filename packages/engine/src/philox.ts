// Philox4x32-10: random numbers as a function of a counter and a key, in 32-bit integers alone.
// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011; the constants
// and known answers are those of Random123 1.14, include/Random123/philox.h and tests/kat_vectors.
import assert from "node:assert/strict";

const multipliers = [0xd2511f53, 0xcd9e8d57] as const;
/** Added to the key after each round: the golden ratio and sqrt(3) - 1. */
const keySteps = [0x9e3779b9, 0xbb67ae85] as const;
const rounds = 10;

/** Four unsigned 32-bit words. */
export type Words4 = readonly [number, number, number, number];

/** The 128 random bits of a counter under a key; equal arguments give equal bits anywhere. */
export function philox4x32(counter: Words4, key: readonly [number, number]): Words4 {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < rounds; round++) {
    const high0 = multiplyHigh(multipliers[0], c0);
    const low0 = Math.imul(multipliers[0], c0) >>> 0;
    const high1 = multiplyHigh(multipliers[1], c2);
    const low1 = Math.imul(multipliers[1], c2) >>> 0;
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + keySteps[0]) >>> 0;
    k1 = (k1 + keySteps[1]) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/**
 * A number in [0, 1), a multiple of 2^-53, for one position of one sequence.
 *
 * The key is the seed, low word first; the counter is the position, low word first, then zeros.
 * The 53 bits are the upper 27 of the first word and the upper 26 of the second.
 *
 * @param seed 0 .. 2^64 - 1
 * @param position 0 .. 2^53 - 1
 */
export function uniformAt(seed: bigint, position: number): number {
  assert(seed >= 0n && seed < 1n << 64n, "seed outside 64 bits");
  assert(Number.isSafeInteger(position) && position >= 0, `position ${position}`);
  const key = [Number(seed & 0xffffffffn), Number(seed >> 32n)] as const;
  const counter = [position >>> 0, Math.floor(position / 2 ** 32), 0, 0] as const;
  const [first, second] = philox4x32(counter, key);
  return ((first >>> 5) * 2 ** 26 + (second >>> 6)) * 2 ** -53;
}

/** The upper 32 bits of the product of two unsigned 32-bit words. */
function multiplyHigh(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  // Every sum below stays under 2^34, exact in a double.
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const carried = a0 * b1 + (middle % 0x10000);
  return (a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(carried / 0x10000)) >>> 0;
}
