// Where tensors lie in a file, so that an engine may map them without knowing the container.

/** Element types as they are stored. A quantised matrix is u8 quants and bf16 scales. */
export type StoredDtype = "f32" | "f16" | "bf16" | "u8";

/** Every tensor starts on a multiple of this: a cache line, and the widest vector register. */
export const tensorAlignmentBytes = 64;

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
 * A file of tensors that has been checked: every location lies inside `sizeBytes`, and starts on a
 * multiple of {@link tensorAlignmentBytes}.
 *
 * Matrices carry their Hugging Face names (`model.layers.0.self_attn.q_proj.weight`, [out, in]).
 * A quantised matrix is `NAME` (u8) with `NAME.scales` (bf16), in the shapes of `panelShapes`.
 */
export interface WeightFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly tensors: ReadonlyMap<string, TensorLocation>;
}
