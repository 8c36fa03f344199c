// Source elements to f32, exactly: every bf16 and f16 value is an f32 value.
import assert from "node:assert/strict";
import { endianness } from "node:os";
import type { SourceDtype } from "./source-checkpoint.ts";

// Files are little-endian, and the loops below read them as the machine's own numbers.
assert(endianness() === "LE", "a little-endian machine");

/** f32 values with their bits, signed since V8 is fastest with those. Both share one buffer. */
export interface F32Scratch {
  readonly values: Float32Array;
  readonly bits: Int32Array;
}

/** Room for `length` elements. */
export function createF32Scratch(length: number): F32Scratch {
  const values = new Float32Array(length);
  return { values, bits: new Int32Array(values.buffer) };
}

/**
 * Decodes `count` elements from `source` into the front of `target`.
 *
 * @param source 4-byte aligned, count × element size bytes or more
 * @returns the index of the first NaN or infinity, or undefined if all are finite
 */
export function decodeWeights(
  dtype: SourceDtype,
  source: Uint8Array,
  count: number,
  target: F32Scratch,
): number | undefined {
  const { buffer, byteOffset } = source;
  switch (dtype) {
    case "f32":
      target.bits.set(new Int32Array(buffer, byteOffset, count));
      break;
    case "bf16":
      decodeBf16(new Uint16Array(buffer, byteOffset, count), target.bits);
      break;
    case "f16":
      decodeF16(new Uint16Array(buffer, byteOffset, count), target.bits);
      break;
  }
  return findNonFinite(target.bits, count);
}

/** The f32 bits of f16 bits, exactly; NaN stays NaN. */
export function f16ToF32Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f800000 | (fraction << 13)) >>> 0;
  // 112 is the difference of the exponents' biases, 127 - 15.
  if (exponent !== 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0;
  if (fraction === 0) return sign >>> 0;
  // Subnormal in f16, normal in f32: shift the leading one up to where it is implied.
  const shift = Math.clz32(fraction) - 21;
  return (sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13)) >>> 0;
}

function decodeBf16(source: Uint16Array, target: Int32Array): void {
  for (let i = 0; i < source.length; i++) target[i] = source[i]! << 16;
}

function decodeF16(source: Uint16Array, target: Int32Array): void {
  for (let i = 0; i < source.length; i++) target[i] = f16ToF32Bits(source[i]!);
}

function findNonFinite(bits: Int32Array, count: number): number | undefined {
  // Adding one exponent step carries into the sign bit exactly when the exponent is all ones.
  let carried = 0;
  for (let i = 0; i < count; i++) carried |= (bits[i]! & 0x7fffffff) + 0x00800000;
  if (carried >= 0) return undefined;
  let first = 0;
  while ((bits[first]! & 0x7f800000) !== 0x7f800000) first++;
  return first;
}
