import fc from "fast-check";
import { expect, test } from "vitest";
import { gramSizes, indexedAtOnce, PromptLookup } from "./prompt-lookup.ts";

/** The same by looking at every place, the latest first, and copying token by token. */
function draftSlowly(tokenIds: readonly number[], count: number): number[] {
  for (const size of gramSizes) {
    for (let next = tokenIds.length - 1; next >= size; next--) {
      const run = tokenIds.slice(next - size, next);
      if (run.join() !== tokenIds.slice(-size).join()) continue;
      const all = [...tokenIds];
      for (let i = 0; i < count; i++) all.push(all[next + i]!);
      return all.slice(tokenIds.length);
    }
  }
  return [];
}

test("however the tokens came, the draft is what looking everywhere finds", () => {
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
        const draft = lookup.draft(known, count);
        expect(draft).toEqual(draftSlowly(known, count));
        numFound += draft.length;
      }
    }),
    { numRuns: 200 },
  );
  expect(numFound).toBeGreaterThan(1000);
});

test("the longest run counts, of several the latest, and a repetition goes on", () => {
  const draft = (tokenIds: number[], count: number) => new PromptLookup().draft(tokenIds, count);
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
  expect(lookup.draft(tokenIds, 3)).toEqual([]);
  expect(lookup.draft(tokenIds, 3)).toEqual([]);
  expect(lookup.draft(tokenIds, 3)).toEqual(prompt.slice(60, 63));
});

test("runs that are all alike to the hash are forgotten, not searched for at length", () => {
  // All token ids are multiples of 2^32 to Math.imul, which would be a long row of taken slots.
  const tokenIds = Array.from({ length: 3000 }, (_, i) => i * 2 ** 32);
  const lookup = new PromptLookup();
  expect(lookup.draft([...tokenIds, ...tokenIds.slice(5, 9)], 2)).toEqual(tokenIds.slice(9, 11));
  expect(lookup.draft([...tokenIds, ...tokenIds.slice(5, 9)], 2)).toHaveLength(2);
});
