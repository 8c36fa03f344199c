import { type ActivationRows, activationRowBytes } from "@octet/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { joinRows, splitRows } from "./row-batch.ts";

const width = 32;

function rowsOf(dtype: ActivationRows["dtype"], rows: number): fc.Arbitrary<ActivationRows> {
  const bytes = rows * activationRowBytes(dtype, width);
  const data = fc.uint8Array({ minLength: bytes, maxLength: bytes });
  return data.map((found) => ({ dtype, rows, width, data: found }));
}

const parts = fc
  .record({
    dtype: fc.constantFrom("f32" as const, "bf16" as const, "q8" as const),
    shares: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
  })
  .chain(({ dtype, shares }) => fc.tuple(...shares.map((rows) => rowsOf(dtype, rows))));

test("splitting undoes joining", () => {
  fc.assert(
    fc.property(parts, (before) => {
      const whole = joinRows(before);
      const after = splitRows(
        whole,
        before.map((part) => part.rows),
      );
      expect(after.map((part) => ({ ...part, data: [...part.data] }))).toEqual(
        before.map((part) => ({ ...part, data: [...part.data] })),
      );
    }),
  );
});

test("one call's rows are not copied", () => {
  const only = { dtype: "f32", rows: 1, width: 1, data: new Uint8Array(4) } as const;
  expect(joinRows([only])).toBe(only);
});

test("shares that do not use up the rows are a bug", () => {
  const whole = { dtype: "f32", rows: 3, width: 1, data: new Uint8Array(12) } as const;
  expect(() => splitRows(whole, [1, 1])).toThrow("use up");
  expect(() => splitRows({ ...whole, data: new Uint8Array(8) }, [1, 2])).toThrow("match");
});
