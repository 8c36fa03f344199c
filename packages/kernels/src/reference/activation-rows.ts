// Rows of activations, to and from the layouts they travel in.
import {
  type ActivationDtype,
  type ActivationRows,
  activationRowBytes,
  fromBf16Bits,
  quantBlockSize,
  toBf16Bits,
} from "@octet/core";

const quantMax = 127;

/**
 * Packs f32 rows in the layout of `dtype`: f32 as they are, bf16 to nearest even, q8 per block.
 *
 * A q8 block has scale amax / 127 and quants x × (127 / amax), both in f32, rounded half to even.
 * A block too small to scale (127 / amax overflows f32) becomes zeros with scale 0; a block that
 * holds NaN or infinity gets scale NaN, so that the fault is seen downstream rather than quantised
 * away.
 *
 * @param values [rows, width] f32
 * @returns [rows, width], freshly allocated
 * @throws {RangeError} if `values` is not whole rows, or dtype is q8 and width not whole blocks
 */
export function encodeActivations(
  values: Float32Array,
  width: number,
  dtype: ActivationDtype,
): ActivationRows {
  const rows = values.length / width;
  if (!Number.isInteger(rows)) {
    throw new RangeError(`expected whole rows of ${width}, found ${values.length} values`);
  }
  const rowBytes = activationRowBytes(dtype, width);
  const data = new Uint8Array(rows * rowBytes);
  const view = new DataView(data.buffer);
  for (let row = 0; row < rows; row++) {
    const x = values.subarray(row * width, (row + 1) * width);
    encodeRow(x, dtype, view, row * rowBytes);
  }
  return { dtype, rows, width, data };
}

/** @returns [rows, width] f64: the exact values that `rows` stands for */
export function decodeActivations(rows: ActivationRows): Float64Array {
  const { dtype, width, data } = rows;
  const rowBytes = activationRowBytes(dtype, width);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const values = new Float64Array(rows.rows * width);
  for (let row = 0; row < rows.rows; row++) {
    const out = values.subarray(row * width, (row + 1) * width);
    decodeRow(view, row * rowBytes, dtype, out);
  }
  return values;
}

function encodeRow(x: Float32Array, dtype: ActivationDtype, view: DataView, at: number): void {
  switch (dtype) {
    case "f32":
      for (let i = 0; i < x.length; i++) view.setFloat32(at + i * 4, x[i]!, true);
      return;
    case "bf16":
      for (let i = 0; i < x.length; i++) view.setUint16(at + i * 2, toBf16Bits(x[i]!), true);
      return;
    case "q8":
      for (let block = 0; block < x.length / quantBlockSize; block++) {
        const first = block * quantBlockSize;
        const values = x.subarray(first, first + quantBlockSize);
        const scale = encodeBlock(values, view, at + first);
        view.setFloat32(at + x.length + block * 4, scale, true);
      }
  }
}

/** Writes a block's quants at `at` and returns its scale. */
function encodeBlock(values: Float32Array, view: DataView, at: number): number {
  let amax = 0;
  for (const value of values) amax = Math.max(amax, Math.abs(value));
  const inverse = Math.fround(quantMax / amax);
  const scalable = Number.isFinite(amax) && Number.isFinite(inverse);
  for (let i = 0; i < values.length; i++) {
    const quant = scalable ? roundHalfEven(Math.fround(values[i]! * inverse)) : 0;
    view.setInt8(at + i, quant);
  }
  if (!Number.isFinite(amax)) return Number.NaN;
  return scalable ? Math.fround(amax / quantMax) : 0;
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

function decodeRow(view: DataView, at: number, dtype: ActivationDtype, out: Float64Array): void {
  switch (dtype) {
    case "f32":
      for (let i = 0; i < out.length; i++) out[i] = view.getFloat32(at + i * 4, true);
      return;
    case "bf16":
      for (let i = 0; i < out.length; i++) {
        out[i] = fromBf16Bits(view.getUint16(at + i * 2, true));
      }
      return;
    case "q8":
      for (let i = 0; i < out.length; i++) {
        const block = Math.floor(i / quantBlockSize);
        const scale = view.getFloat32(at + out.length + block * 4, true);
        out[i] = view.getInt8(at + i) * scale;
      }
  }
}
