/** x × sigmoid(x), in f64. */
export function silu(x: number): number {
  return x / (1 + Math.exp(-x));
}
