// f32 values to what a shard stores. Loops over typed arrays, no allocation per element.
import { q8BlockSize } from "@octet/core";
import type { F32Scratch } from "./decode-weights.ts";

/**
 * Rounds to the nearest bf16, ties to even.
 *
 * @param target [count]
 * @returns the index of the first value that would round to infinity, or undefined
 */
export function encodeBf16(
  source: F32Scratch,
  count: number,
  target: Uint16Array,
): number | undefined {
  const { bits } = source;
  let carried = 0;
  for (let i = 0; i < count; i++) {
    const b = bits[i]!;
    const rounded = ((b + 0x7fff + ((b >>> 16) & 1)) >>> 16) & 0xffff;
    target[i] = rounded;
    carried |= (rounded & 0x7fff) + 0x0080; // reaches 0x8000 when the exponent is all ones
  }
  if ((carried & 0x8000) === 0) return undefined;
  let first = 0;
  while ((target[first]! & 0x7f80) !== 0x7f80) first++;
  return first;
}

/**
 * Symmetric 8-bit blocks of {@link q8BlockSize}: element ≈ quant × scale.
 *
 * The scale is the smallest bf16 with amax / scale <= 127, so no quant is ever clipped; quants are
 * x / scale against that rounded scale, to nearest, ties to even. A block of zeros has scale 0.
 *
 * @param count a multiple of q8BlockSize
 * @param quants [count]
 * @param scales [count / q8BlockSize] bf16 bits
 */
export function encodeQ8(
  source: F32Scratch,
  count: number,
  quants: Int8Array,
  scales: Uint16Array,
): void {
  const { values, bits } = source;
  for (let start = 0, block = 0; start < count; start += q8BlockSize, block++) {
    const end = start + q8BlockSize;
    let amaxBits = 0; // of finite numbers the larger has the larger bits, sign apart
    for (let i = start; i < end; i++) {
      const magnitude = bits[i]! & 0x7fffffff;
      if (magnitude > amaxBits) amaxBits = magnitude;
    }
    if (amaxBits === 0) {
      scales[block] = 0;
      for (let i = start; i < end; i++) quants[i] = 0; // fill() costs more than 32 stores
      continue;
    }
    const scaleBits = q8ScaleBits(amaxBits);
    const scale = bf16Value(scaleBits);
    scales[block] = scaleBits;
    for (let i = start; i < end; i++) {
      // Below 2^51 adding 1.5 × 2^52 leaves no bits for a fraction: f64 rounds it, ties to even.
      quants[i] = values[i]! / scale + roundingBias - roundingBias;
    }
  }
}

const roundingBias = 1.5 * 2 ** 52;
const quantMax = 127;

const scratch = new Float32Array(1);
const scratchBits = new Int32Array(scratch.buffer);

/** The smallest bf16 s with amax <= 127 s; amax is given as the bits of a positive f32. */
function q8ScaleBits(amaxBits: number): number {
  scratchBits[0] = amaxBits;
  const amax = scratch[0]!;
  scratch[0] = amax / quantMax;
  const below = scratchBits[0]! >>> 16;
  // 8 significant bits times 7 are exact in f64, so this comparison is, too.
  return bf16Value(below) * quantMax >= amax ? below : below + 1;
}

function bf16Value(bf16: number): number {
  scratchBits[0] = bf16 << 16;
  return scratch[0]!;
}
