/**
 * Scales each row to root mean square 1, then by `weight`.
 *
 * The normalised value is rounded to f32 before the weight multiplies it, as Hugging Face does.
 *
 * @param x [T, H] f32
 * @param weight [H] f32
 * @returns [T, H] f32, freshly allocated
 * @see transformers, models/mixtral/modeling_mixtral.py, MixtralRMSNorm.forward
 */
export function rmsNorm(x: Float32Array, weight: Float32Array, eps: number): Float32Array {
  const H = weight.length;
  const out = new Float32Array(x.length);
  for (let row = 0; row < x.length; row += H) {
    let squares = 0;
    for (let h = 0; h < H; h++) squares += x[row + h]! * x[row + h]!;
    const inverse = 1 / Math.sqrt(squares / H + eps);
    for (let h = 0; h < H; h++) out[row + h] = weight[h]! * Math.fround(x[row + h]! * inverse);
  }
  return out;
}
