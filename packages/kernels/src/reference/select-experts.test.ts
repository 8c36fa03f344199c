import fc from "fast-check";
import { expect, test } from "vitest";
import { softmax } from "./attention.ts";
import { selectExperts } from "./select-experts.ts";

/** Few distinct values, so that ties are common. */
const logit = fc.oneof(
  fc.constantFrom(-1, -0, 0, 1, 2),
  fc.float({ noNaN: true, min: -50, max: 50 }),
);
const gate = fc
  .record({
    numExperts: fc.integer({ min: 1, max: 16 }),
    numTokens: fc.integer({ min: 1, max: 4 }),
  })
  .chain(({ numExperts, numTokens }) =>
    fc.record({
      numExperts: fc.constant(numExperts),
      numExpertsPerToken: fc.integer({ min: 1, max: Math.min(8, numExperts) }),
      rows: fc.array(fc.array(logit, { minLength: numExperts, maxLength: numExperts }), {
        minLength: numTokens,
        maxLength: numTokens,
      }),
    }),
  );

test("no expert left out has a larger logit than one chosen, nor as large and a lower id", () => {
  fc.assert(
    fc.property(gate, ({ rows, ...shape }) => {
      const K = shape.numExpertsPerToken;
      const { expertIds } = selectExperts(Float32Array.from(rows.flat()), shape);
      rows.forEach((row, token) => {
        const chosen = [...expertIds.subarray(token * K, (token + 1) * K)];
        expect(new Set(chosen).size).toBe(K);
        const last = chosen.at(-1)!;
        row.forEach((value, expert) => {
          if (chosen.includes(expert)) return;
          expect(value < row[last]! || (value === row[last]! && expert > last)).toBe(true);
        });
      });
    }),
  );
});

test("experts come by falling logit, ties to the lower id", () => {
  const shape = { numExperts: 6, numExpertsPerToken: 4 };
  const { expertIds } = selectExperts(Float32Array.of(1, 3, 2, 3, 2, 2), shape);
  expect([...expertIds]).toEqual([1, 3, 2, 4]);
});

test("combine weights are the renormalised K largest of a softmax over all experts", () => {
  fc.assert(
    fc.property(gate, ({ rows, ...shape }) => {
      const K = shape.numExpertsPerToken;
      const { expertIds, combineWeights } = selectExperts(Float32Array.from(rows.flat()), shape);
      rows.forEach((row, token) => {
        const all = softmax(Float64Array.from(row));
        const chosen = Array.from(expertIds.subarray(token * K, (token + 1) * K), (id) => all[id]!);
        const sum = chosen.reduce((total, p) => total + p, 0);
        chosen.forEach((p, k) => {
          expect(Math.abs(combineWeights[token * K + k]! - p / sum)).toBeLessThanOrEqual(1e-7);
        });
      });
    }),
  );
});

test("large logits do not overflow", () => {
  const shape = { numExperts: 3, numExpertsPerToken: 2 };
  const { combineWeights } = selectExperts(Float32Array.of(1e30, 1e30, 0), shape);
  expect([...combineWeights]).toEqual([0.5, 0.5]);
});

test("K outside 1 to E, and logits that are not whole rows, are refused", () => {
  const select = (numExpertsPerToken: number, numLogits = 4) =>
    selectExperts(new Float32Array(numLogits), { numExperts: 4, numExpertsPerToken });
  expect(() => select(0)).toThrow(RangeError);
  expect(() => select(5)).toThrow(RangeError);
  expect(() => select(2, 6)).toThrow(RangeError);
});
