// f32 values to f16.
import type { F32Scratch } from "./decode-weights.ts";

/**
 * Rounds to the nearest f16, ties to even; what was f16 stays what it was.
 *
 * @param target [count]
 * @returns the index of the first value that would round to infinity, or undefined
 */
export function encodeF16(
  source: F32Scratch,
  count: number,
  target: Uint16Array,
): number | undefined {
  new Float16Array(target.buffer, target.byteOffset, count).set(source.values.subarray(0, count));
  let carried = 0;
  for (let i = 0; i < count; i++) carried |= (target[i]! & 0x7fff) + 0x0400;
  if ((carried & 0x8000) === 0) return undefined; // no exponent is all ones
  let first = 0;
  while ((target[first]! & 0x7c00) !== 0x7c00) first++;
  return first;
}
