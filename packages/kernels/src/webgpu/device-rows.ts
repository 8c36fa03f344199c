// Rows of activations in the device's memory: as they travel, but filled up to whole blocks.
import {
  type ActivationDtype,
  type ActivationRows,
  activationRowBytes,
  quantBlockSize,
} from "@octet/core";

/** The width of rows on the device: of real models `width` itself. */
export function deviceWidth(width: number): number {
  return Math.ceil(width / quantBlockSize) * quantBlockSize;
}

/** Bytes of one row on the device. */
export function deviceRowBytes(dtype: ActivationDtype, width: number): number {
  return activationRowBytes(dtype, deviceWidth(width));
}

/** `rows` as the device takes them; a view of them where nothing needs to be filled up. */
export function toDeviceRows({ dtype, rows, width, data }: ActivationRows): Uint8Array {
  const from = activationRowBytes(dtype, width);
  const to = deviceRowBytes(dtype, width);
  if (from === to) return data;
  const padded = new Uint8Array(rows * to);
  for (let row = 0; row < rows; row++) {
    padded.set(data.subarray(row * from, (row + 1) * from), row * to);
  }
  return padded;
}

/** What came from the device as rows that travel; `data` itself where nothing was filled up. */
export function fromDeviceRows(
  data: Uint8Array<ArrayBuffer>,
  { dtype, rows, width }: Omit<ActivationRows, "data">,
): Uint8Array<ArrayBuffer> {
  const from = deviceRowBytes(dtype, width);
  const to = activationRowBytes(dtype, width);
  if (from === to) return data;
  const packed = new Uint8Array(rows * to);
  for (let row = 0; row < rows; row++) {
    packed.set(data.subarray(row * from, row * from + to), row * to);
  }
  return packed;
}
