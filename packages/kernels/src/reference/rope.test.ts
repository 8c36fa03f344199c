import fc from "fast-check";
import { expect, test } from "vitest";
import { rope, ropeFrequencies } from "./rope.ts";

const headDim = 16;
const frequencies = ropeFrequencies(headDim, 10_000);
const head = fc
  .array(fc.float({ noNaN: true, min: -4, max: 4 }), { minLength: headDim, maxLength: headDim })
  .map((values) => Float32Array.from(values));

function rotated(values: Float32Array, position: number): Float32Array {
  const copy = values.slice();
  rope(copy, position, frequencies);
  return copy;
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}

test("element i turns with element i + headDim / 2, by position × theta^(-2i / headDim)", () => {
  const values = new Float32Array(headDim);
  values[3] = 1;
  const out = rotated(values, 5);
  const angle = 5 * 10_000 ** (-6 / headDim);
  expect(out[3]).toBeCloseTo(Math.cos(angle), 6);
  expect(out[3 + headDim / 2]).toBeCloseTo(Math.sin(angle), 6);
  expect(out.filter((x) => x !== 0).length).toBe(2);
});

test("every head of a token turns alike, and position 0 does not turn", () => {
  const one = Float32Array.from({ length: headDim }, (_, i) => i + 1);
  const two = Float32Array.of(...one, ...one);
  rope(two, 7, frequencies);
  expect(two.slice(0, headDim)).toEqual(rotated(one, 7));
  expect(two.slice(headDim)).toEqual(rotated(one, 7));
  expect(rotated(one, 0)).toEqual(one);
});

test("a query and a key see only how far apart they are", () => {
  const position = fc.integer({ min: 0, max: 500 });
  fc.assert(
    fc.property(head, head, position, position, position, (query, key, a, b, shift) => {
      const near = dot(rotated(query, a), rotated(key, b));
      const far = dot(rotated(query, a + shift), rotated(key, b + shift));
      // f32 angles up to 1000 are off by 2^-15 each.
      expect(Math.abs(near - far)).toBeLessThanOrEqual(16 * 16 * 2 ** -12);
    }),
  );
});

test("frequencies are rounded to f32 after the exponent, the power and the reciprocal", () => {
  const expected = Array.from({ length: headDim / 2 }, (_, i) =>
    Math.fround(1 / Math.fround(1e6 ** Math.fround((2 * i) / headDim))),
  );
  expect([...ropeFrequencies(headDim, 1e6)]).toEqual(expected);
  expect(expected[0]).toBe(1);
});
