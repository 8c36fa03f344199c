// Weight matrices as they are stored, and the one product everything is made of.
import assert from "node:assert/strict";
import { dispatchDtype, fromBf16Bits, type WeightDtype } from "@octet/core";
import { decodeActivations, encodeActivations } from "./activation-rows.ts";
import { readQ4Row, readQ8Row } from "./panels.ts";

/** A matrix [outSize, inSize]; `row` decodes one of its rows into f64 exactly. */
export interface Matrix {
  readonly outSize: number;
  readonly inSize: number;
  row(index: number, into: Float64Array): void;
}

/** The bytes of tensors by name, each at the start of its own buffer. */
type Tensors = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** How a matrix is stored, and its size: panels may hold more rows than the matrix has. */
export interface MatrixForm {
  readonly dtype: WeightDtype;
  readonly shape: readonly [outSize: number, inSize: number];
}

/** The matrix stored under `name`, a quantised one with its scales beside it. */
export function openMatrix(
  tensors: Tensors,
  name: string,
  { dtype, shape: [outSize, inSize] }: MatrixForm,
): Matrix {
  const bytes = tensors.get(name)!;
  switch (dtype) {
    case "f32": {
      const values = new Float32Array(bytes.buffer);
      return {
        outSize,
        inSize,
        row: (index, into) => into.set(values.subarray(index * inSize, (index + 1) * inSize)),
      };
    }
    case "bf16": {
      const bits = new Uint16Array(bytes.buffer);
      const rowBits = new Uint32Array(inSize); // bf16 is the upper half of an f32
      const rowValues = new Float32Array(rowBits.buffer);
      return {
        outSize,
        inSize,
        row(index, into) {
          for (let k = 0; k < inSize; k++) rowBits[k] = bits[index * inSize + k]! << 16;
          into.set(rowValues);
        },
      };
    }
    case "f16": {
      const values = new Float16Array(bytes.buffer);
      return {
        outSize,
        inSize,
        row: (index, into) => into.set(values.subarray(index * inSize, (index + 1) * inSize)),
      };
    }
    case "q8":
    case "q4": {
      const scaleBits = new Uint16Array(tensors.get(`${name}.scales`)!.buffer);
      const scales = Float32Array.from(scaleBits, fromBf16Bits);
      const readRow = dtype === "q8" ? readQ8Row : readQ4Row;
      const panels = { quants: bytes, scales };
      return { outSize, inSize, row: (index, into) => readRow(panels, index, into) };
    }
  }
}

/**
 * x wᵀ: what a matrix kernel makes of f32 activations, which it first rounds as `dtype` says.
 *
 * @param x [T, inSize] f32
 * @returns [T, outSize] f32
 */
export function project(x: Float32Array, matrix: Matrix, dtype: WeightDtype): Float32Array {
  return multiply(
    decodeActivations(encodeActivations(x, matrix.inSize, dispatchDtype(dtype))),
    matrix,
  );
}

/**
 * x wᵀ, summed in f64 in ascending order of the inner dimension.
 *
 * @param x [T, inSize] f64
 * @returns [T, outSize] f32
 */
export function multiply(x: Float64Array, matrix: Matrix): Float32Array {
  const { outSize, inSize } = matrix;
  const numTokens = x.length / inSize;
  assert(Number.isInteger(numTokens), `rows of ${inSize}, found ${x.length} values`);
  const out = new Float32Array(numTokens * outSize);
  const row = new Float64Array(inSize);
  for (let n = 0; n < outSize; n++) {
    matrix.row(n, row);
    for (let token = 0; token < numTokens; token++) out[token * outSize + n] = dot(x, token, row);
  }
  return out;
}

function dot(x: Float64Array, token: number, row: Float64Array): number {
  const first = token * row.length;
  let sum = 0;
  for (let k = 0; k < row.length; k++) sum += x[first + k]! * row[k]!;
  return sum;
}
