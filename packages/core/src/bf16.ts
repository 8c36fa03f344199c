// bfloat16: the upper half of an f32, rounded to nearest, ties to even.

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** The bf16 bits nearest to `value`; NaN stays NaN, and infinity infinity. */
export function toBf16Bits(value: number): number {
  scratch[0] = value;
  const bits = scratchBits[0]!;
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x0040; // keep NaN quiet
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** The value of bf16 bits, exactly. */
export function fromBf16Bits(bits: number): number {
  scratchBits[0] = bits << 16;
  return scratch[0]!;
}
