import { fromBf16Bits } from "@octet/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createF32Scratch } from "./decode-weights.ts";
import { quantiseQ8 } from "./quantise-q8.ts";

const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
const block = fc.array(finite, { minLength: 32, maxLength: 32 });

/** Quantises blocks one by one from where they lie. */
function quantise(values: readonly number[]): { quants: Int32Array; scales: number[] } {
  const source = createF32Scratch(values.length);
  source.values.set(values);
  const quants = new Int32Array(values.length).fill(99);
  const starts = Array.from({ length: values.length / 32 }, (_, index) => index * 32);
  const scales = starts.map((start) =>
    quantiseQ8(source, start, quants.subarray(start, start + 32)),
  );
  return { quants, scales };
}

test("a q8 element is within half a scale of the weight", () => {
  fc.assert(
    fc.property(fc.array(block, { minLength: 1, maxLength: 3 }), (blocks) => {
      const values = blocks.flat();
      const { quants, scales } = quantise(values);
      values.forEach((value, i) => {
        const scale = fromBf16Bits(scales[i >> 5]!);
        expect(Math.abs(value - quants[i]! * scale)).toBeLessThanOrEqual(scale / 2);
      });
    }),
  );
});

test("a q8 scale is the smallest bf16 that reaches the block's largest weight", () => {
  fc.assert(
    fc.property(block, (values) => {
      const amax = Math.max(...values.map((value) => Math.abs(value)));
      fc.pre(amax > 0);
      const bits = quantise(values).scales[0]!;
      expect(fromBf16Bits(bits) * 127).toBeGreaterThanOrEqual(amax);
      expect(fromBf16Bits(bits - 1) * 127).toBeLessThan(amax);
    }),
    { examples: [[Array<number>(32).fill(2 ** -149)], [Array<number>(32).fill(3.4028234e38)]] },
  );
});

test("q8 quants stay within -127 .. 127 and are nearest, ties to even", () => {
  const values = [127, -127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5, 0.4999, -126.5];
  const { quants, scales } = quantise([...values, ...Array<number>(21).fill(0)]);
  expect(fromBf16Bits(scales[0]!)).toBe(1);
  expect(Array.from(quants.subarray(0, 11))).toEqual([127, -127, 0, 2, 2, 0, -2, -2, 126, 0, -126]);
});

test("a q8 block of zeros has scale 0, and its neighbours do not notice", () => {
  const values = [...Array<number>(32).fill(-0), ...Array<number>(32).fill(2)];
  const { quants, scales } = quantise(values);
  expect(scales[0]).toBe(0);
  expect(Array.from(quants.subarray(0, 32))).toEqual(Array<number>(32).fill(0));
  expect(quants[32]! * fromBf16Bits(scales[1]!)).toBeCloseTo(2, 1);
});
