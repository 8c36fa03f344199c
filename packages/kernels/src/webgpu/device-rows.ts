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
export function toDeviceRows(rows: ActivationRows): Uint8Array {
  const from = activationRowBytes(rows.dtype, rows.width);
  const to = deviceRowBytes(rows.dtype, rows.width);
  if (from === to) return rows.data;
  const padded = new Uint8Array(rows.rows * to);
  copyDeviceRows(rows, padded);
  return padded;
}

/** Writes `rows` as the device takes them over zeros. */
export function copyDeviceRows(
  { dtype, rows, width, data }: ActivationRows,
  into: Uint8Array,
): void {
  const from = activationRowBytes(dtype, width);
  const to = deviceRowBytes(dtype, width);
  if (from === to) {
    into.set(data);
    return;
  }
  for (let row = 0; row < rows; row++) {
    into.set(data.subarray(row * from, (row + 1) * from), row * to);
  }
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
