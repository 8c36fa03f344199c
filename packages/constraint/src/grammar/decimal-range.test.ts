// Ranges of numbers against plain comparison.
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Bound, integerRange, numberRange } from "./decimal-range.ts";

/** These grammars have no rules, so they are regular expressions in other words. */
function toRegExp(expression: string): RegExp {
  const source = expression
    .replaceAll(/"((?:\\u[0-9a-f]{4}|[^"])*)"/g, (_, text: string) => text.replace(".", "\\."))
    .replaceAll(" ", "");
  return new RegExp(`^(?:${source})$`, "u");
}

function isWithin(value: number, min: Bound | undefined, max: Bound | undefined): boolean {
  const above = min === undefined || (min.isExclusive ? value > min.value : value >= min.value);
  const below = max === undefined || (max.isExclusive ? value < max.value : value <= max.value);
  return above && below;
}

const isExclusive = fc.boolean();
const whole = fc.oneof(
  fc.integer({ min: -130, max: 130 }),
  fc.integer({ min: -20_000, max: 20_000 }),
);
const decimal = fc
  .tuple(whole, fc.constantFrom(1, 2, 4, 10, 100, 1_000_000))
  .map(([numerator, denominator]) => Number((numerator / denominator).toFixed(6)));

test("a range of whole numbers matches those within it and no other", () => {
  const bound = fc.option(fc.record({ value: whole, isExclusive }), { nil: undefined });
  fc.assert(
    fc.property(bound, bound, fc.array(whole), (min, max, tried) => {
      const near = [min, max].flatMap((b) =>
        b === undefined ? [] : [-1, 0, 1].map((d) => b.value + d),
      );
      const expression = attempt(() => integerRange(min, max));
      for (const value of [...tried, ...near, 0, 1, -1, 9, 10, 99, 100]) {
        const isMatched = expression?.test(`${value}`) ?? false;
        expect(isMatched, `${value}`).toBe(isWithin(value, min, max));
      }
      expect(expression?.test("-0") ?? false).toBe(false);
      expect(expression?.test("007") ?? false).toBe(false);
    }),
  );
});

test("a range of numbers matches those within it and no other, at six decimals", () => {
  const bound = fc.option(fc.record({ value: decimal, isExclusive }), { nil: undefined });
  fc.assert(
    fc.property(bound, bound, fc.array(decimal), (min, max, tried) => {
      const steps = [-1, -0.1, -1e-6, 0, 1e-6, 0.1, 1];
      const near = [min, max].flatMap((b) =>
        b === undefined ? [] : steps.map((step) => Number((b.value + step).toFixed(6))),
      );
      const expression = attempt(() => numberRange(min, max));
      for (const value of [...tried, ...near, 0, 0.5, -0.5, 1, 10.25]) {
        const isWanted = isWithin(value, min, max);
        const shortest = decimalText(value);
        // Written with zeros at the end it is the same number.
        const padded = shortest.includes(".")
          ? shortest.padEnd(shortest.indexOf(".") + 7, "0")
          : `${shortest}.0`;
        for (const text of value === 0 ? ["0", "0.0"] : [shortest, padded]) {
          expect(expression?.test(text) ?? false, text).toBe(isWanted);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("bounds that cannot be kept exactly are refused", () => {
  const at = (value: number): Bound => ({ value, isExclusive: false });
  expect(() => numberRange(at(1e9), undefined)).toThrow("bounds of at most 999999999");
  expect(() => numberRange(undefined, at(0.1234567))).toThrow("at most 6 decimals");
  expect(() => integerRange(at(1e15), undefined)).toThrow(/bounds/);
  expect(() => integerRange(at(2), at(1))).toThrow("found none");
});

/** Bounds that leave no number are refused, which is to match none. */
function attempt(write: () => string): RegExp | undefined {
  try {
    return toRegExp(write());
  } catch {
    return undefined;
  }
}

function decimalText(value: number): string {
  return value.toFixed(6).replace(/\.?0+$/, "");
}
