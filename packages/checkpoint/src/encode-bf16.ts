// f32 values to bf16.
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
