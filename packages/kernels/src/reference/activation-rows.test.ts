import { fromBf16Bits, toBf16Bits } from "@octet/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeActivations, encodeActivations } from "./activation-rows.ts";

const width = 64;
const finite = fc.float({ noNaN: true, min: Math.fround(-1e6), max: Math.fround(1e6) });
const rows = fc
  .array(fc.array(finite, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 3 })
  .map((values) => Float32Array.from(values.flat()));

test("f32 rows come back with the same bits", () => {
  fc.assert(
    fc.property(rows, (values) => {
      const back = decodeActivations(encodeActivations(values, width, "f32"));
      expect(Float32Array.from(back)).toEqual(values);
    }),
  );
});

test("bf16 rows come back as the nearest bf16", () => {
  fc.assert(
    fc.property(rows, (values) => {
      const back = decodeActivations(encodeActivations(values, width, "bf16"));
      expect([...back]).toEqual(Array.from(values, (value) => fromBf16Bits(toBf16Bits(value))));
    }),
  );
});

test("a q8 value is off by at most half its block's step, and the largest is 127 steps", () => {
  fc.assert(
    fc.property(rows, (values) => {
      const encoded = encodeActivations(values, width, "q8");
      const back = decodeActivations(encoded);
      for (let first = 0; first < values.length; first += 32) {
        const block = values.subarray(first, first + 32);
        const amax = Math.max(...block.map(Math.abs));
        // The step and the products before rounding are f32, a relative 2^-23 off at most.
        const half = (amax / 127 / 2) * (1 + 127 * 2 ** -21) + 1e-38;
        block.forEach((value, i) => {
          expect(Math.abs(back[first + i]! - value)).toBeLessThanOrEqual(half);
        });
        if (amax > 1e-30) {
          const steps = block.map((_, i) => Math.abs(back[first + i]! / (amax / 127)));
          expect(Math.max(...steps)).toBeCloseTo(127, 3);
        }
      }
    }),
  );
});

test("a q8 row is its quants, then its scales; halves round to the even quant", () => {
  const block = new Float32Array(32);
  block.set([127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49, -127]);
  const row = Float32Array.from([...block, ...block.map((value) => value * 4)]);
  const { data } = encodeActivations(row, width, "q8");
  const quants = [127, 0, 2, 2, 0, -2, -2, 0, -127];
  expect([...new Int8Array(data.buffer, 0, 9)]).toEqual(quants);
  expect([...new Int8Array(data.buffer, 32, 9)]).toEqual(quants);
  expect([...new Float32Array(data.buffer, 64, 2)]).toEqual([1, 4]);
  expect(data.length).toBe(72);
});

test("a block of zeros, or of values too small to scale, has scale 0 and decodes to zeros", () => {
  for (const value of [0, 1e-38, -1e-40]) {
    const back = decodeActivations(encodeActivations(new Float32Array(32).fill(value), 32, "q8"));
    expect(back.every((x) => x === 0)).toBe(true);
  }
});

test("a block that holds NaN or infinity decodes to NaN, and leaves the others alone", () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const values = new Float32Array(width).fill(1);
    values[40] = value;
    const back = decodeActivations(encodeActivations(values, width, "q8"));
    expect(back.subarray(0, 32).every((x) => Math.abs(x - 1) < 1e-6)).toBe(true);
    expect(back.subarray(32).every(Number.isNaN)).toBe(true);
  }
});

test("rows decode from any address", () => {
  const values = Float32Array.from({ length: width }, (_, i) => i - 20);
  for (const dtype of ["f32", "bf16", "q8"] as const) {
    const encoded = encodeActivations(values, width, dtype);
    const data = new Uint8Array(encoded.data.length + 1).subarray(1);
    data.set(encoded.data);
    expect(decodeActivations({ ...encoded, data })).toEqual(decodeActivations(encoded));
  }
});

test("values that are not whole rows, and q8 rows that are not whole blocks, are refused", () => {
  expect(() => encodeActivations(new Float32Array(33), 32, "f32")).toThrow(RangeError);
  expect(() => encodeActivations(new Float32Array(40), 40, "q8")).toThrow(RangeError);
});
