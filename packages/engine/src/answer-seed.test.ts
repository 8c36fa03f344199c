import fc from "fast-check";
import { expect, test } from "vitest";
import { answerSeed } from "./answer-seed.ts";

const seed = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

test("the first answer has the request's seed, the others seeds of their own, all of 64 bits", () => {
  fc.assert(
    fc.property(seed, (given) => {
      const seeds = Array.from({ length: 8 }, (_, index) => answerSeed(given, index));
      expect(seeds[0]).toBe(given);
      expect(new Set(seeds).size).toBe(8);
      for (const one of seeds) expect(one >= 0n && one < 2n ** 64n).toBe(true);
    }),
  );
});

test("seeds stay what they are: an answer may be asked for again", () => {
  expect([0, 1, 7].map((index) => answerSeed(42n, index))).toMatchInlineSnapshot(`
    [
      42n,
      6526683383576497442n,
      15365875374932280067n,
    ]
  `);
});
