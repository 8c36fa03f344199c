import fc from "fast-check";
import { expect, test } from "vitest";
import { silu } from "./silu.ts";

test("silu(x) - silu(-x) is x, as a sigmoid and its mirror sum to 1", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, min: -1e3, max: 1e3 }), (x) => {
      expect(Math.abs(silu(x) - silu(-x) - x)).toBeLessThanOrEqual(
        1e-12 * Math.max(1, Math.abs(x)),
      );
    }),
  );
});

test("silu is known at a few points and stays finite far out", () => {
  expect(silu(0)).toBe(0);
  expect(silu(1)).toBeCloseTo(0.731058578, 8);
  expect(silu(-1)).toBeCloseTo(-0.268941421, 8);
  expect(silu(1e4)).toBe(1e4);
  expect(Math.abs(silu(-1e4))).toBe(0);
});
