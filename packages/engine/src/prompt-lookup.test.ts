import fc from "fast-check";
import { expect, test } from "vitest";
import { type Guess, gramSizes, indexedAtOnce, PromptLookup } from "./prompt-lookup.ts";

/** The same by looking at every place, the latest first, and copying token by token. */
function guessSlowly(tokenIds: readonly number[], count: number): Guess | undefined {
  for (const size of gramSizes) {
    for (let next = tokenIds.length - 1; next >= size; next--) {
      const run = tokenIds.slice(next - size, next);
      if (run.join() !== tokenIds.slice(-size).join()) continue;
      const all = [...tokenIds];
      for (let i = 0; i < count; i++) all.push(all[next + i]!);
      return { tokenIds: all.slice(tokenIds.length), runLength: size };
    }
  }
  return undefined;
}

test("however the tokens came, the guess is what looking everywhere finds", () => {
  let numFound = 0;
  const tokens = fc.oneof(
    fc.array(fc.nat({ max: 2 }), { maxLength: 60 }),
    fc.array(fc.nat({ max: 12 }), { maxLength: 200 }),
    // Repetitions, with something in between.
    fc
      .tuple(fc.array(fc.nat({ max: 31_999 }), { maxLength: 20 }), fc.nat({ max: 5 }))
      .map(([period, gap]) => [...period, ...Array(gap).fill(7), ...period, ...period]),
  );
  fc.assert(
    fc.property(tokens, fc.nat({ max: 9 }), fc.nat({ max: 20 }), (all, count, start) => {
      const lookup = new PromptLookup();
      for (let length = Math.min(start, all.length); length <= all.length; length++) {
        const known = all.slice(0, length);
        const guess = lookup.guess(known, count);
        expect(guess).toEqual(guessSlowly(known, count));
        numFound += guess === undefined ? 0 : 1;
      }
    }),
    { numRuns: 200 },
  );
  expect(numFound).toBeGreaterThan(50);
});

test("the longest run counts, of several the latest, and a repetition goes on", () => {
  const draft = (tokenIds: number[], count: number) =>
    new PromptLookup().guess(tokenIds, count)?.tokenIds ?? [];
  expect(draft([1, 2, 3, 9, 2, 3, 8, 1, 2, 3], 2)).toEqual([9, 2]);
  expect(draft([2, 3, 9, 2, 3, 8, 5, 2, 3], 2)).toEqual([8, 5]);
  expect(draft([1, 2, 3, 1, 2], 5)).toEqual([3, 1, 2, 3, 1]);
  expect(draft([4, 4, 4], 4)).toEqual([4, 4, 4, 4]);
  expect(draft([4, 4], 4)).toEqual([]);
  expect(draft([1, 2, 3, 4], 4)).toEqual([]);
  expect(draft([], 4)).toEqual([]);
});

test("a long prompt is indexed bit by bit, and found whole", () => {
  const prompt = Array.from({ length: 2 * indexedAtOnce + 9 }, (_, i) => (i * i * 7) % 31_991);
  const tokenIds = [...prompt, ...prompt.slice(50, 60)];
  const lookup = new PromptLookup();
  expect(lookup.guess(tokenIds, 3)).toBeUndefined();
  expect(lookup.guess(tokenIds, 3)).toBeUndefined();
  expect(lookup.guess(tokenIds, 3)?.tokenIds).toEqual(prompt.slice(60, 63));
});

test("runs that are all alike to the hash are forgotten, not searched for at length", () => {
  // To Math.imul all of them are 0, so that every run wants the same slot.
  const tokenIds = Array.from({ length: 3000 }, (_, i) => i * 2 ** 32);
  const lookup = new PromptLookup();
  const again = [...tokenIds, ...tokenIds.slice(5, 9)];
  expect(lookup.guess(again, 2)?.tokenIds).toEqual(tokenIds.slice(9, 11));
  again.push(...tokenIds.slice(2000, 2004));
  expect(lookup.guess(again, 2)).toBeUndefined();
});
