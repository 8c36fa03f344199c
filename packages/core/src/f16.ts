// IEEE half precision, rounded to nearest, ties to even.

const scratch = new Float16Array(1);
const scratchBits = new Uint16Array(scratch.buffer);

/** The f16 bits nearest to `value`; beyond 65,504 infinity, and NaN stays NaN. */
export function toF16Bits(value: number): number {
  scratch[0] = value;
  return scratchBits[0]!;
}

/** The value of f16 bits, exactly. */
export function fromF16Bits(bits: number): number {
  scratchBits[0] = bits;
  return scratch[0]!;
}
