import { fromBf16Bits, toBf16Bits } from "@octet/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createF32Scratch } from "./decode-weights.ts";
import { quantiseQ4 } from "./quantise-q4.ts";

const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
const block = fc.array(finite, { minLength: 32, maxLength: 32 });

function quantise(values: readonly number[]): { quants: number[]; scale: number } {
  // From the middle of a longer row, whose other values must not matter.
  const source = createF32Scratch(96);
  source.values.fill(3e38);
  source.values.set(values, 32);
  const quants = new Int32Array(32).fill(99);
  const scale = fromBf16Bits(quantiseQ4(source, 32, quants));
  return { quants: Array.from(quants), scale };
}

test("each q4 quant is the nearest of -8 .. 7 to its weight", () => {
  fc.assert(
    fc.property(block, (values) => {
      const { quants, scale } = quantise(values);
      values.forEach((value, i) => {
        const error = Math.abs(value - quants[i]! * scale);
        for (let other = -8; other <= 7; other++) {
          expect(error).toBeLessThanOrEqual(Math.abs(value - other * scale));
        }
        expect(quants[i]).toBeGreaterThanOrEqual(-8);
        expect(quants[i]).toBeLessThanOrEqual(7);
      });
    }),
    { examples: [[Array<number>(32).fill(2 ** -149)], [Array<number>(32).fill(3.4028234e38)]] },
  );
});

test("a q4 scale makes the largest weight's quant -8, whichever its sign", () => {
  const values = Array.from({ length: 32 }, (_, i) => i / 32);
  for (const extreme of [4, -4]) {
    const { quants, scale } = quantise([...values.slice(0, 31), extreme]);
    expect(scale).toBe(fromBf16Bits(toBf16Bits(extreme / -8)));
    expect(quants[31]).toBe(-8);
  }
});

test("a q4 block of zeros has scale 0", () => {
  expect(quantise(Array<number>(32).fill(-0))).toEqual({
    quants: Array<number>(32).fill(0),
    scale: 0,
  });
});
