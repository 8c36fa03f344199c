/** 64 random bits, 0 .. 2^64 - 1. */
export function randomSeed(): bigint {
  return crypto.getRandomValues(new BigUint64Array(1))[0]!;
}
