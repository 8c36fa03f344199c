// Rotary position embedding, element i of a head paired with element i + headDim / 2.

/**
 * The angular speed of each pair of a head: theta^(-2i / headDim), rounded to f32 at each step as
 * Hugging Face rounds it.
 *
 * @returns [headDim / 2] f32
 * @see transformers, modeling_rope_utils.py, the default rope parameters
 */
export function ropeFrequencies(headDim: number, theta: number): Float32Array {
  return Float32Array.from({ length: headDim / 2 }, (_, pair) => {
    const exponent = Math.fround((2 * pair) / headDim);
    return 1 / Math.fround(theta ** exponent);
  });
}

/**
 * Rotates every head of one token in place. The angle is rounded to f32; its cosine and sine are
 * computed in f64, then rounded.
 *
 * @param heads [numHeads × headDim] f32, overwritten
 * @param frequencies as {@link ropeFrequencies} gives them
 */
export function rope(heads: Float32Array, position: number, frequencies: Float32Array): void {
  const half = frequencies.length;
  for (let head = 0; head < heads.length; head += 2 * half) {
    for (let pair = 0; pair < half; pair++) {
      const angle = Math.fround(position * frequencies[pair]!);
      const cos = Math.fround(Math.cos(angle));
      const sin = Math.fround(Math.sin(angle));
      const low = heads[head + pair]!;
      const high = heads[head + half + pair]!;
      heads[head + pair] = low * cos - high * sin;
      heads[head + half + pair] = high * cos + low * sin;
    }
  }
}
