// Where tensors lie in a file, so that an engine may map them without knowing the container.

/** Element types as they are stored. q8 matrices are two tensors: i8 quants and bf16 scales. */
export type StoredDtype = "f32" | "f16" | "bf16" | "i8";

/** One tensor's place in its file. */
export interface TensorLocation {
  readonly dtype: StoredDtype;
  /** Row-major, slowest dimension first. */
  readonly shape: readonly number[];
  /** From the start of the file. */
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/**
 * A file of tensors that has been checked: every location lies inside `sizeBytes`.
 *
 * Matrices carry their Hugging Face names (`model.layers.0.self_attn.q_proj.weight`, [out, in]).
 * A q8 matrix [N, K] is `NAME` (i8, [N, K]) with `NAME.scales` (bf16, [N, K / 32]).
 */
export interface WeightFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly tensors: ReadonlyMap<string, TensorLocation>;
}
