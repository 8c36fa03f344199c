// The seeds of one request's answers, from the one that it names.
import { philox4x32 } from "./philox.ts";

/**
 * The seed of answer `index`: the request's own for the first, which so is the answer of a request
 * for one; for the others the first two words, low word first, of Philox4x32-10 with the request's
 * seed as key and the counter (index, 0, 0, 1), which no position of a sequence has.
 *
 * @param seed 0 .. 2^64 - 1
 * @param index 0 .. answersMax - 1
 */
export function answerSeed(seed: bigint, index: number): bigint {
  if (index === 0) return seed;
  const key = [Number(seed & 0xffffffffn), Number(seed >> 32n)] as const;
  const [low, high] = philox4x32([index, 0, 0, 1], key);
  return (BigInt(high) << 32n) | BigInt(low);
}
