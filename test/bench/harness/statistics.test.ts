import fc from "fast-check";
import { expect, test } from "vitest";
import { median, pairRatios, quantile, summarise } from "./statistics.ts";

test("the median is the middle sample, or between the two in the middle", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([7])).toBe(7);
});

test("a quantile lies between its neighbours in proportion", () => {
  expect(quantile([0, 10, 20, 30, 40], 0.95)).toBeCloseTo(38, 12);
  expect(summarise([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3, p95: 2.9 });
});

test("whatever the order of the samples, the summary is the same and in order", () => {
  const samples = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1 });
  fc.assert(
    fc.property(samples, (values) => {
      const { min, median: middle, p95, max } = summarise(values);
      expect(summarise(values.toReversed())).toEqual({ min, median: middle, p95, max });
      expect([min, middle, p95, max]).toEqual([min, middle, p95, max].sort((a, b) => a - b));
      // At least half of the samples lie on either side of the median.
      expect(2 * values.filter((value) => value <= middle).length).toBeGreaterThanOrEqual(
        values.length,
      );
      expect(2 * values.filter((value) => value >= middle).length).toBeGreaterThanOrEqual(
        values.length,
      );
    }),
  );
});

test("nothing is said of no samples, or of samples that are no numbers", () => {
  expect(() => median([])).toThrow(/no samples/);
  expect(() => median([1, Number.NaN])).toThrow(/finite/);
});

test("ratios are of neighbours, and samples without a neighbour are refused", () => {
  expect(pairRatios([2, 9], [1, 3])).toEqual([2, 3]);
  expect(() => pairRatios([2, 9], [1])).toThrow(/pairs/);
});
