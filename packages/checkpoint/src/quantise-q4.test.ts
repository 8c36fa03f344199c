import { fromBf16Bits } from "@octet/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createF32Scratch } from "./decode-weights.ts";
import { quantiseQ4 } from "./quantise-q4.ts";
import { createRandom } from "./testing/synthetic-checkpoint.ts";

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

test("a block of multiples of a bf16 in -8 .. 7 is kept exactly", () => {
  for (const scale of [0.0078125, -3, 1.5 * 2 ** -100]) {
    const quants = Array.from({ length: 32 }, (_, i) => (i % 16) - 8);
    expect(quantise(quants.map((quant) => quant * scale))).toEqual({ quants, scale });
  }
});

/** Squared error of `values` over their own squares, each block having the scale that is told. */
function relativeError(values: readonly number[], scaleOf: (block: number[]) => number): number {
  let error = 0;
  let size = 0;
  for (let start = 0; start < values.length; start += 32) {
    const block = values.slice(start, start + 32);
    const scale = scaleOf(block);
    for (const value of block) {
      const nearest = Math.max(-8, Math.min(7, Math.round(value / scale)));
      error += (value - nearest * scale) ** 2;
      size += value ** 2;
    }
  }
  return Math.sqrt(error / size);
}

test("the scale is close to the best there is, and better than the plain one", () => {
  const random = createRandom(5);
  // Sums of twelve are as good as normal; deviation 1, mean 0.
  const normal = Array.from({ length: 32 * 200 }, () => {
    return Array.from({ length: 12 }, random).reduce((sum, value) => sum + value);
  });
  const extremeOf = (block: number[]) =>
    block.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most));
  const plain = relativeError(normal, (block) => extremeOf(block) / -8);
  const best = relativeError(normal, (block) => {
    const scales = Array.from({ length: 240 }, (_, i) => extremeOf(block) / (i / 10 - 12 || 1));
    const errors = scales.map((scale) => relativeError(block, () => scale));
    return scales[errors.indexOf(Math.min(...errors))]!;
  });
  const ours = relativeError(normal, (block) => quantise(block).scale);
  expect(ours).toBeLessThan(0.95 * plain);
  expect(ours).toBeLessThan(1.005 * best);
});

test("a q4 block of zeros has scale 0", () => {
  expect(quantise(Array<number>(32).fill(-0))).toEqual({
    quants: Array<number>(32).fill(0),
    scale: 0,
  });
});
