import { panelShapes, type QuantisedDtype, toBf16Bits } from "@octet/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readQ4Row, readQ8Row } from "../../../packages/kernels/src/reference/panels.ts";
import { interleavedRow } from "./mixtral-tensors.ts";
import { bf16ToF16, panelsToRows } from "./panels-to-rows.ts";
import { f16Value, readQ4Blocks, readQ8Blocks } from "./testing/read-gguf.ts";

const scaleSizes = { min: 2 ** -13, max: 60_000, noNaN: true };

/** Any quants that the dtype has, and any scales that f16 has too. */
function randomPanels(dtype: QuantisedDtype, shape: readonly [number, number]) {
  const { quants, scales } = panelShapes(dtype, shape);
  const count = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);
  const quantBytes = fc.uint8Array({
    minLength: count(quants),
    maxLength: count(quants),
    min: dtype === "q8" ? 1 : 0, // 0 would be -128
  });
  const scaleBits = fc
    .array(fc.tuple(fc.double(scaleSizes), fc.boolean()), {
      minLength: count(scales),
      maxLength: count(scales),
    })
    .map((sizes) => Uint16Array.from(sizes, ([s, minus]) => toBf16Bits(minus ? -s : s)));
  return fc.record({ quants: quantBytes, scales: scaleBits });
}

test.each([
  ["q4", readQ4Row, readQ4Blocks],
  ["q8", readQ8Row, readQ8Blocks],
] as const)("%s panels and GGUF rows are the same numbers", (dtype, readPanelRow, readBlocks) => {
  const shape = [21, 96] as const; // the second panel is not full
  fc.assert(
    fc.property(randomPanels(dtype, shape), ({ quants, scales }) => {
      const [rows, columns] = shape;
      const moved = (row: number) => (row * 8) % rows; // 8 and 21 have no common factor
      const target = panelsToRows({ dtype, shape, quants, scales }, moved);
      const found = readBlocks(target);
      const values = Float32Array.from(scales, (bits) => f32OfBf16(bits));
      for (let row = 0; row < rows; row++) {
        const expected = new Float64Array(columns);
        readPanelRow({ quants, scales: values }, row, expected);
        const at = moved(row) * columns;
        expect(expected.findIndex((value, i) => value !== found[at + i])).toBe(-1);
      }
    }),
    { numRuns: 20 },
  );
});

test("f16 has the same number as bf16, wherever it has one", () => {
  for (let exponent = -14; exponent <= 15; exponent++) {
    for (const mantissa of [1, 1 + 1 / 128, 1.5, 2 - 1 / 128]) {
      for (const value of [mantissa * 2 ** exponent, -mantissa * 2 ** exponent]) {
        expect(f16Value(bf16ToF16(toBf16Bits(value)))).toBe(value);
      }
    }
  }
  expect(bf16ToF16(0)).toBe(0);
  for (const value of [2 ** 16, 2 ** -15, 1e30, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => bf16ToF16(toBf16Bits(value))).toThrow(RangeError);
  }
});

test("RoPE's halves become neighbours, head by head", () => {
  const headDim = 8;
  const targets = Array.from({ length: 16 }, (_, row) => interleavedRow(row, headDim));
  expect(targets).toEqual([0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15]);
});

function f32OfBf16(bits: number): number {
  return new Float32Array(new Uint32Array([bits << 16]).buffer)[0]!;
}
