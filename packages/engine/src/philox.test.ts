import assert from "node:assert/strict";
import fc from "fast-check";
import { expect, test } from "vitest";
import { philox4x32, uniformAt } from "./philox.ts";

test("philox gives the published known answers", () => {
  expect(philox4x32([0, 0, 0, 0], [0, 0])).toEqual([
    0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8,
  ]);
  const ones = 0xffffffff;
  expect(philox4x32([ones, ones, ones, ones], [ones, ones])).toEqual([
    0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd,
  ]);
  expect(
    philox4x32([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]),
  ).toEqual([0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]);
});

/** Philox written with big integers, where nothing can overflow. */
function philoxTwin(counter: readonly number[], key: readonly number[]): number[] {
  const mask = 0xffffffffn;
  let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map(BigInt) as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const p0 = 0xd2511f53n * c0;
    const p1 = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & mask, (p0 >> 32n) ^ c3 ^ k1, p0 & mask];
    k0 = (k0 + 0x9e3779b9n) & mask;
    k1 = (k1 + 0xbb67ae85n) & mask;
  }
  return [c0, c1, c2, c3].map(Number);
}

test("philox in 32-bit words equals philox in big integers", () => {
  const word = fc.integer({ min: 0, max: 0xffffffff });
  fc.assert(
    fc.property(fc.tuple(word, word, word, word), fc.tuple(word, word), (counter, key) => {
      assert.deepEqual(philox4x32(counter, key), philoxTwin(counter, key));
    }),
  );
});

test("a draw is 53 bits of the position under the seed, as an independent program has them", () => {
  expect(uniformAt(0n, 0)).toBe(3594291088041750 * 2 ** -53);
  expect(uniformAt(42n, 7)).toBe(3227824515309874 * 2 ** -53);
  expect(uniformAt(0xfedcba9876543210n, 2 ** 40 + 5)).toBe(2429284798797580 * 2 ** -53);
});

test("draws lie in [0, 1), and seed and position both matter in every bit", () => {
  const seed = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  const position = fc.nat({ max: Number.MAX_SAFE_INTEGER });
  fc.assert(
    fc.property(seed, position, fc.nat({ max: 63 }), fc.nat({ max: 52 }), (s, p, i, j) => {
      const u = uniformAt(s, p);
      assert(u >= 0 && u < 1);
      assert.notEqual(uniformAt(s ^ (1n << BigInt(i)), p), u);
      assert.notEqual(uniformAt(s, Number(BigInt(p) ^ (1n << BigInt(j)))), u);
    }),
  );
});
