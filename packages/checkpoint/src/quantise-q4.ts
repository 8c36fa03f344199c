// 4-bit blocks: element ≈ quant × scale, quants in -8 .. 7.
import { fromBf16Bits, quantBlockSize, toBf16Bits } from "@octet/core";
import type { F32Scratch } from "./decode-weights.ts";

/**
 * Quantises one block of q4.
 *
 * The scale is one of a few that are tried, the one with the least squared error, refitted to its
 * quants and rounded to bf16; it may be negative. Quants are x / scale against that rounded scale,
 * to nearest, ties to even, within -8 .. 7. A block of zeros has scale 0.
 *
 * @param start of the block in `source`, whose values are finite
 * @param quants [32], each in -8 .. 7
 * @returns the scale as bf16 bits
 */
export function quantiseQ4(source: F32Scratch, start: number, quants: Int32Array): number {
  const { values } = source;
  const scaleBits = toBf16Bits(bestScale(values, start));
  const scale = fromBf16Bits(scaleBits);
  if (scale === 0) {
    for (let i = 0; i < quantBlockSize; i++) quants[i] = 0; // fill() costs more than 32 stores
    return 0;
  }
  for (let i = 0; i < quantBlockSize; i++) quants[i] = nearestQuant(values[start + i]! / scale);
  return scaleBits;
}

/**
 * What the element of largest magnitude is to be as a multiple of the scale. Around -8, as there is
 * one more negative quant than there are positive ones; below it, the element is clipped so that the
 * others get finer steps. More of them, or positive ones, hardly lessen the error any further.
 */
const aims = [-7.25, -7.75, -8.25, -8.75];

/** For an aim's quants q, Σ(x - s q)² is least at s = Σxq / Σq², and is then Σx² - (Σxq)² / Σq². */
function bestScale(values: Float32Array, start: number): number {
  const extreme = extremeOf(values, start);
  if (extreme === 0) return 0;
  let scale = 0;
  let most = 0;
  for (const aim of aims) {
    const inverse = aim / extreme;
    let productSum = 0;
    let squareSum = 0;
    for (let i = 0; i < quantBlockSize; i++) {
      const value = values[start + i]!;
      const quant = nearestQuant(value * inverse);
      productSum += value * quant;
      squareSum += quant * quant;
    }
    const explained = (productSum * productSum) / squareSum;
    if (explained <= most) continue;
    most = explained;
    scale = productSum / squareSum;
  }
  return scale;
}

/** The element of largest magnitude, the first of equals. */
function extremeOf(values: Float32Array, start: number): number {
  let extreme = 0;
  let magnitude = 0;
  for (let i = 0; i < quantBlockSize; i++) {
    const value = values[start + i]!;
    if (Math.abs(value) <= magnitude) continue;
    extreme = value;
    magnitude = Math.abs(value);
  }
  return extreme;
}

/** Below 2^51 adding 1.5 × 2^52 leaves no bits for a fraction: f64 rounds it, ties to even. */
const roundingBias = 1.5 * 2 ** 52;

function nearestQuant(multiple: number): number {
  const nearest = multiple + roundingBias - roundingBias;
  if (nearest > 7) return 7;
  if (nearest < -8) return -8;
  return nearest;
}
