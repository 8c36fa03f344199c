// Symmetric 8-bit blocks: element ≈ quant × scale.
import { quantBlockSize } from "@octet/core";
import type { F32Scratch } from "./decode-weights.ts";

/**
 * Quantises one block of q8.
 *
 * The scale is the smallest bf16 with amax / scale <= 127, so no quant is ever clipped; quants are
 * x / scale against that rounded scale, to nearest, ties to even. A block of zeros has scale 0.
 *
 * @param start of the block in `source`, whose values are finite
 * @param quants [32], each in -127 .. 127
 * @returns the scale as bf16 bits
 */
export function quantiseQ8(source: F32Scratch, start: number, quants: Int32Array): number {
  const { values, bits } = source;
  let amaxBits = 0; // of finite numbers the larger has the larger bits, sign apart
  for (let i = 0; i < quantBlockSize; i++) {
    const magnitude = bits[start + i]! & 0x7fffffff;
    if (magnitude > amaxBits) amaxBits = magnitude;
  }
  if (amaxBits === 0) {
    for (let i = 0; i < quantBlockSize; i++) quants[i] = 0; // fill() costs more than 32 stores
    return 0;
  }
  const scaleBits = smallestScale(amaxBits);
  const scale = bf16Value(scaleBits);
  for (let i = 0; i < quantBlockSize; i++) {
    // Below 2^51 adding 1.5 × 2^52 leaves no bits for a fraction: f64 rounds it, ties to even.
    quants[i] = values[start + i]! / scale + roundingBias - roundingBias;
  }
  return scaleBits;
}

const roundingBias = 1.5 * 2 ** 52;
const quantMax = 127;

const scratch = new Float32Array(1);
const scratchBits = new Int32Array(scratch.buffer);

/** The smallest bf16 s with amax <= 127 s; amax is given as the bits of a positive f32. */
function smallestScale(amaxBits: number): number {
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
