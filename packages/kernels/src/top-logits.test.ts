import assert from "node:assert/strict";
import fc from "fast-check";
import { expect, test } from "vitest";
import { selectTopLogits } from "./top-logits.ts";

/** Few distinct values, so that ties and zeros of both signs happen. */
const logit = fc.oneof(
  fc.constantFrom(-0, 0, 1, 1, -3),
  fc.float({ min: -40, max: 40, noNaN: true }),
);

test("the largest logits are the start of the row, sorted", () => {
  fc.assert(
    fc.property(
      fc.array(logit, { minLength: 1, maxLength: 90 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 64 }),
      (row, numRows, wanted) => {
        const count = Math.min(wanted, row.length);
        const rows = Float32Array.from(Array.from({ length: numRows }, () => row).flat());
        const top = selectTopLogits(rows, { count, vocabSize: row.length });
        const values = rows.subarray(0, row.length);
        const sorted = Array.from(values.keys())
          .sort((a, b) => values[b]! - values[a]! || a - b)
          .slice(0, count);
        const ids = Array.from({ length: numRows }, () => sorted).flat();
        assert.deepEqual([...top.tokenIds], ids);
        assert(top.logits.every((value, i) => value === values[ids[i]!]));
      },
    ),
    { numRuns: 500 },
  );
});

test("a count that no row has, or none, is refused", () => {
  for (const count of [0, 4, 65, 1.5]) {
    expect(() => selectTopLogits(Float32Array.of(1, 2, 3), { count, vocabSize: 3 })).toThrow(
      "expected 1 to 3",
    );
  }
});
