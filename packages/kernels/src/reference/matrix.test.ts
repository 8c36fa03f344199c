import { toBf16Bits } from "@octet/core";
import { expect, test } from "vitest";
import { packPanels } from "../conformance/pack-panels.ts";
import { multiply, openMatrix, project } from "./matrix.ts";

const bytes = (values: Float32Array | Uint16Array) => new Uint8Array(values.buffer as ArrayBuffer);

test("x times a matrix dots each row of x with each row of the matrix", () => {
  const tensors = new Map([["w", bytes(Float32Array.of(1, 2, 3, 4, 5, 6))]]);
  const matrix = openMatrix(tensors, "w", { dtype: "f32", shape: [3, 2] });
  expect(matrix.outSize).toBe(3);
  const out = multiply(Float64Array.of(1, 10, -1, 0), matrix);
  expect([...out]).toEqual([21, 43, 65, -1, -3, -5]);
});

test("a bf16 matrix multiplies activations rounded to bf16", () => {
  const tensors = new Map([["w", bytes(Uint16Array.of(toBf16Bits(1), toBf16Bits(-2)))]]);
  const matrix = openMatrix(tensors, "w", { dtype: "bf16", shape: [1, 2] });
  const x = Float32Array.of(1 + 2 ** -12, 3);
  expect([...project(x, matrix, "bf16")]).toEqual([-5]);
  expect([...multiply(Float64Array.from(x), matrix)]).toEqual([-5 + 2 ** -12]);
});

// Panels whose every quant and scale says where it is: checked against core's panels.ts by hand.
const shape = [18, 64] as const;
const scales = Uint16Array.from({ length: 2 * 2 * 16 }, (_, i) => toBf16Bits(i + 1));

test("a q8 row is picked from its panel", () => {
  const quants = Uint8Array.from({ length: 2 * 16 * 64 }, (_, i) => i % 251);
  const tensors = new Map([
    ["w", quants],
    ["w.scales", bytes(scales)],
  ]);
  const matrix = openMatrix(tensors, "w", { dtype: "q8", shape });
  expect(matrix.outSize).toBe(18);
  const row = new Float64Array(64);
  matrix.row(17, row); // row 1 of panel 1, which starts at byte 1024 and scale 32
  expect(row[0]).toBe((((1024 + 4) % 251) - 128) * 34);
  expect(row[3]).toBe((((1024 + 4 + 3) % 251) - 128) * 34);
  expect(row[4]).toBe((((1024 + 64 + 4) % 251) - 128) * 34);
  expect(row[63]).toBe((((1024 + 15 * 64 + 4 + 3) % 251) - 128) * 50);
});

test("a q4 row is picked from its panel, low halves of bytes first", () => {
  const quants = Uint8Array.from({ length: 2 * 8 * 64 }, (_, i) => (i * 7) % 256);
  const tensors = new Map([
    ["w", quants],
    ["w.scales", bytes(scales)],
  ]);
  const matrix = openMatrix(tensors, "w", { dtype: "q4", shape });
  const row = new Float64Array(64);
  matrix.row(17, row); // row 1 of panel 1, which starts at byte 512 and scale 32
  const byte = (at: number) => (at * 7) % 256;
  expect(row[2]).toBe(((byte(512 + 4 + 2) & 15) - 8) * 34);
  expect(row[6]).toBe(((byte(512 + 4 + 2) >> 4) - 8) * 34);
  expect(row[8]).toBe(((byte(512 + 64 + 4) & 15) - 8) * 34);
  expect(row[63]).toBe(((byte(512 + 7 * 64 + 4 + 3) >> 4) - 8) * 50);
});

test("a quantised matrix multiplies activations quantised by block", () => {
  const columns = [...Array<number>(32).fill(2), ...Array<number>(32).fill(-3)];
  for (const dtype of ["q8", "q4"] as const) {
    // Extremes of -127 and -8 make both scales 1 in either dtype.
    const extreme = dtype === "q8" ? -127 : -8;
    const values = Float32Array.from(columns, (value, i) => (i % 32 === 31 ? extreme : value));
    const packed = packPanels(dtype, values, 1);
    const tensors = new Map([
      ["w", packed.quants as Uint8Array<ArrayBuffer>],
      ["w.scales", bytes(packed.scales)],
    ]);
    const matrix = openMatrix(tensors, "w", { dtype, shape: [1, 64] });
    const x = new Float32Array(64);
    x.set([127, 0.4], 0); // 0.4 of a step is lost
    x.set([1.27], 32);
    const [y] = project(x, matrix, dtype);
    expect(y).toBeCloseTo(127 * 2 + 1.27 * -3, 4);
  }
});
