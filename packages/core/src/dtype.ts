// The number formats that weights and activations travel and rest in.

/** All weight dtypes, from the most bits an element to the fewest. */
export const weightDtypes = ["f32", "f16", "bf16", "q8", "q4"] as const;

/**
 * How a shard stores its matrices. Norms and the gate are always f32, whatever this says; with f16
 * the embedding, rows and the KV cache are f32 as well, since f16's range is too small for them.
 */
export type WeightDtype = (typeof weightDtypes)[number];

/** Weight dtypes whose matrices are panels of quants and scales: see panels.ts. */
export type QuantisedDtype = Exclude<WeightDtype, "f32" | "f16" | "bf16">;

/** Whether matrices of `dtype` are quants and scales rather than numbers. */
export function isQuantised(dtype: WeightDtype): dtype is QuantisedDtype {
  return dtype === "q8" || dtype === "q4";
}

/**
 * How activation rows travel between coordinator and worker.
 *
 * A row of width H is laid out as
 * - f32: H × 4 bytes, little-endian;
 * - bf16: H × 2 bytes, little-endian;
 * - q8: H signed bytes, then H / 32 little-endian f32 scales; element = byte × scale of its block.
 */
export type ActivationDtype = "f32" | "bf16" | "q8";

/** Neighbours in a row that share one scale, in quantised weights and in q8 activations alike. */
export const quantBlockSize = 32;

/** The dtype of rows sent to an expert: exactly what its matrix kernel would make of them. */
export function dispatchDtype(weights: WeightDtype): ActivationDtype {
  return isQuantised(weights) ? "q8" : replyDtype(weights);
}

/** The dtype of rows an expert sends back, of the KV cache and of the embedding in a shard. */
export function replyDtype(weights: WeightDtype): "f32" | "bf16" {
  return weights === "f32" || weights === "f16" ? "f32" : "bf16";
}

/**
 * Bytes in one activation row.
 *
 * @throws {RangeError} if dtype is q8 and width is not a multiple of {@link quantBlockSize}
 */
export function activationRowBytes(dtype: ActivationDtype, width: number): number {
  switch (dtype) {
    case "f32":
      return width * 4;
    case "bf16":
      return width * 2;
    case "q8":
      if (width % quantBlockSize !== 0) {
        throw new RangeError(`q8 rows need a width divisible by ${quantBlockSize}, found ${width}`);
      }
      return width + (width / quantBlockSize) * 4;
  }
}

/** Rows of activations, [rows, width], packed without gaps in the layout of `dtype`. */
export interface ActivationRows {
  readonly dtype: ActivationDtype;
  readonly rows: number;
  readonly width: number;
  /** rows × activationRowBytes(dtype, width) bytes; may start at any alignment. */
  readonly data: Uint8Array;
}
