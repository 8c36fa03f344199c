import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { BadWords } from "./bad-words.ts";

const V = 4;
const tokenId = fc.nat({ max: V - 1 });
const words = fc.array(fc.array(tokenId, { minLength: 1, maxLength: 4 }), { minLength: 1 });
const answer = fc.array(tokenId, { maxLength: 12 });

/** Tries every token: does the answer end with a word then? */
function barredTwin(bad: readonly (readonly number[])[], said: readonly number[]): Set<number> {
  const ends = (id: number) =>
    bad.some((word) => `,${[...said, id].join()}`.endsWith(`,${word.join()}`));
  return new Set(Array.from({ length: V }, (_, id) => id).filter(ends));
}

test("the tokens barred are those after which the answer would end with a word", () => {
  fc.assert(
    fc.property(words, answer, answer, (bad, before, after) => {
      const followed = new BadWords(bad, before);
      for (const [i, id] of after.entries()) {
        assert.deepEqual(followed.barred(), barredTwin(bad, [...before, ...after.slice(0, i)]));
        followed.push(id);
      }
      assert.deepEqual(followed.barred(), barredTwin(bad, [...before, ...after]));
    }),
    { numRuns: 2000 },
  );
});
