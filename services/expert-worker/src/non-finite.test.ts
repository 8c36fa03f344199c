import { type ActivationRows, toBf16Bits } from "@octet/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { hasNonFinite } from "./non-finite.ts";

/** The same bytes at every alignment. */
function atAlignments(bytes: Uint8Array): Uint8Array[] {
  return [0, 1, 2, 3].map((shift) => {
    const moved = new Uint8Array(bytes.length + 3).subarray(shift, shift + bytes.length);
    moved.set(bytes);
    return moved;
  });
}

function verdicts(rows: Omit<ActivationRows, "data">, bytes: Uint8Array): boolean[] {
  return [...new Set(atAlignments(bytes).map((data) => hasNonFinite({ ...rows, data })))];
}

test("in f32 rows exactly NaN and infinity are found", () => {
  fc.assert(
    fc.property(fc.float32Array({ minLength: 1, maxLength: 9 }), (values) => {
      const expected = !values.every(Number.isFinite);
      const rows = { dtype: "f32", rows: 1, width: values.length } as const;
      expect(verdicts(rows, new Uint8Array(values.buffer))).toEqual([expected]);
    }),
  );
});

test("in bf16 rows exactly NaN and infinity are found", () => {
  fc.assert(
    fc.property(fc.array(fc.float(), { minLength: 1, maxLength: 9 }), (values) => {
      const bits = Uint16Array.from(values, toBf16Bits);
      const expected = bits.some((each) => (each & 0x7f80) === 0x7f80);
      const rows = { dtype: "bf16", rows: 1, width: values.length } as const;
      expect(verdicts(rows, new Uint8Array(bits.buffer))).toEqual([expected]);
    }),
  );
});

test("in q8 rows the scales are looked at, of every row, and the quants are not", () => {
  const width = 64;
  const scales = fc.float32Array({ minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(scales, (found) => {
      const rowBytes = width + 8;
      const bytes = new Uint8Array(2 * rowBytes).fill(0xff);
      for (const row of [0, 1]) {
        const own = new Uint8Array(found.buffer, row * 8, 8);
        bytes.set(own, row * rowBytes + width);
      }
      const expected = !found.every(Number.isFinite);
      expect(verdicts({ dtype: "q8", rows: 2, width }, bytes)).toEqual([expected]);
    }),
  );
});

test("one NaN is found at every place, length and alignment, and the largest number is not", () => {
  for (const [dtype, ElementArray, one, nan, largest] of [
    ["bf16", Uint16Array, 0x3f80, 0x7f81, 0x7f7f],
    ["f32", Uint32Array, 0x3f800000, 0xff800001, 0x7f7fffff],
  ] as const) {
    for (let width = 1; width <= 9; width++) {
      for (let at = 0; at < width; at++) {
        const rows = { dtype, rows: 1, width };
        const values = new ElementArray(width).fill(one);
        values[at] = nan;
        expect(verdicts(rows, new Uint8Array(values.buffer))).toEqual([true]);
        values[at] = largest;
        expect(verdicts(rows, new Uint8Array(values.buffer))).toEqual([false]);
      }
    }
  }
});
