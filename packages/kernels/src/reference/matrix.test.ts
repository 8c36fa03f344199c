import { toBf16Bits } from "@octet/core";
import { expect, test } from "vitest";
import { multiply, openMatrix, project } from "./matrix.ts";

const bytes = (values: Float32Array | Uint16Array | Int8Array) =>
  new Uint8Array(values.buffer as ArrayBuffer);

test("x times a matrix dots each row of x with each row of the matrix", () => {
  const tensors = new Map([["w", bytes(Float32Array.of(1, 2, 3, 4, 5, 6))]]);
  const matrix = openMatrix(tensors, "w", { dtype: "f32", inSize: 2 });
  expect(matrix.outSize).toBe(3);
  const out = multiply(Float64Array.of(1, 10, -1, 0), matrix);
  expect([...out]).toEqual([21, 43, 65, -1, -3, -5]);
});

test("a bf16 matrix multiplies activations rounded to bf16", () => {
  const tensors = new Map([["w", bytes(Uint16Array.of(toBf16Bits(1), toBf16Bits(-2)))]]);
  const matrix = openMatrix(tensors, "w", { dtype: "bf16", inSize: 2 });
  const x = Float32Array.of(1 + 2 ** -12, 3);
  expect([...project(x, matrix, "bf16")]).toEqual([-5]);
  expect([...multiply(Float64Array.from(x), matrix)]).toEqual([-5 + 2 ** -12]);
});

test("a q8 matrix multiplies activations quantised by block", () => {
  const quants = new Int8Array(64).fill(2, 0, 32).fill(-3, 32);
  const scales = Uint16Array.of(toBf16Bits(0.5), toBf16Bits(4));
  const tensors = new Map([
    ["w", bytes(quants)],
    ["w.scales", bytes(scales)],
  ]);
  const matrix = openMatrix(tensors, "w", { dtype: "q8", inSize: 64 });
  const x = new Float32Array(64);
  x.set([127, 0.4], 0); // 0.4 of a step is lost
  x.set([1.27], 32);
  const [y] = project(x, matrix, "q8");
  expect(y).toBeCloseTo(127 * 2 * 0.5 + 1.27 * -3 * 4, 4);
});
