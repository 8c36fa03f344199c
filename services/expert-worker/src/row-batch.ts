// Several calls' rows as one matrix, and its answer in their shares again.
import assert from "node:assert/strict";
import { type ActivationRows, activationRowBytes } from "@octet/core";

/** The rows of all parts in order. One part is returned as it is; several are copied. */
export function joinRows(parts: readonly ActivationRows[]): ActivationRows {
  const [first] = parts;
  assert(first !== undefined, "no rows to join");
  if (parts.length === 1) return first;
  for (const part of parts) {
    assert.equal(part.dtype, first.dtype);
    assert.equal(part.width, first.width);
  }
  return {
    dtype: first.dtype,
    rows: parts.reduce((sum, part) => sum + part.rows, 0),
    width: first.width,
    data: Buffer.concat(parts.map((part) => part.data)),
  };
}

/** Consecutive shares of `whole`, which they must use up; they share its bytes. */
export function splitRows(whole: ActivationRows, shares: readonly number[]): ActivationRows[] {
  const { dtype, width } = whole;
  const rowBytes = activationRowBytes(dtype, width);
  let from = 0;
  const parts = shares.map((rows) => {
    const data = whole.data.subarray(from * rowBytes, (from + rows) * rowBytes);
    from += rows;
    return { dtype, rows, width, data };
  });
  assert.equal(from, whole.rows, "the shares use up the rows");
  assert.equal(whole.data.byteLength, whole.rows * rowBytes, "the bytes match the rows");
  return parts;
}
