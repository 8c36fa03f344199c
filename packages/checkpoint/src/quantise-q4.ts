// 4-bit blocks: element ≈ quant × scale, quants in -8 .. 7.
import { quantBlockSize, toBf16Bits } from "@octet/core";
import type { F32Scratch } from "./decode-weights.ts";

/**
 * Quantises one block of q4.
 *
 * The scale is the bf16 nearest to m / -8, m being the element of largest magnitude: its sign makes
 * m's quant -8, as there are more negative quants than positive ones. Quants are x / scale against
 * that rounded scale, to nearest, ties to even, within -8 .. 7. A block of zeros has scale 0.
 *
 * @param start of the block in `source`, whose values are finite
 * @param quants [32], each in -8 .. 7
 * @returns the scale as bf16 bits
 */
export function quantiseQ4(source: F32Scratch, start: number, quants: Int32Array): number {
  const { values } = source;
  let extreme = 0;
  for (let i = 0; i < quantBlockSize; i++) {
    const value = values[start + i]!;
    if (Math.abs(value) > Math.abs(extreme)) extreme = value;
  }
  const scaleBits = toBf16Bits(extreme / quantMin);
  const scale = bf16Value(scaleBits);
  if (scale === 0) {
    for (let i = 0; i < quantBlockSize; i++) quants[i] = 0;
    return 0;
  }
  for (let i = 0; i < quantBlockSize; i++) {
    // Below 2^51 adding 1.5 × 2^52 leaves no bits for a fraction: f64 rounds it, ties to even.
    const quant = values[start + i]! / scale + roundingBias - roundingBias;
    quants[i] = Math.min(Math.max(quant, quantMin), quantMax);
  }
  return scaleBits;
}

const roundingBias = 1.5 * 2 ** 52;
const quantMin = -8;
const quantMax = 7;

const scratch = new Float32Array(1);
const scratchBits = new Int32Array(scratch.buffer);

function bf16Value(bf16: number): number {
  scratchBits[0] = bf16 << 16;
  return scratch[0]!;
}
