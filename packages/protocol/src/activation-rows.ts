// Rows of activations, between core's shape and the wire's.
import assert from "node:assert/strict";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type ActivationDtype, type ActivationRows, activationRowBytes } from "@octet/core";
import {
  type ActivationRows as ActivationRowsMessage,
  type ActivationRowsSchema,
  ActivationDtype as DtypeCode,
} from "./gen/octet/expert/v1/expert_pb.ts";

const codeOfDtype = {
  f32: DtypeCode.F32,
  bf16: DtypeCode.BF16,
  q8: DtypeCode.Q8,
} as const satisfies Record<ActivationDtype, DtypeCode>;

const dtypeOfCode = new Map<number, ActivationDtype>(
  Object.entries(codeOfDtype).map(([dtype, code]) => [code, dtype as ActivationDtype]),
);

/** Rows from the network that are not what the receiver can take; the message says how. */
export class WireShapeError extends Error {
  override readonly name = "WireShapeError";
  readonly code = "bad-shape";
}

/** What the receiver of rows takes. */
export interface ExpectedActivationRows {
  readonly dtype: ActivationDtype;
  readonly width: number;
  /** Fewest and most rows; the same number where the count is known. */
  readonly rowsMin: number;
  readonly rowsMax: number;
}

/** For sending: the message shares the rows' bytes, which must not change until it is written. */
export function toActivationRowsMessage(
  rows: ActivationRows,
): MessageInitShape<typeof ActivationRowsSchema> {
  const bytes = rows.rows * activationRowBytes(rows.dtype, rows.width);
  assert.equal(rows.data.byteLength, bytes, `${rows.rows} rows of ${rows.width} ${rows.dtype}`);
  return {
    dtype: codeOfDtype[rows.dtype],
    rows: rows.rows,
    width: rows.width,
    data: rows.data,
  };
}

/**
 * Checks what arrived against what was expected. The values are not looked at: they may be NaN.
 *
 * @returns rows that share the message's bytes, at any alignment
 * @throws {WireShapeError}
 */
export function fromActivationRowsMessage(
  message: ActivationRowsMessage | undefined,
  expected: ExpectedActivationRows,
): ActivationRows {
  if (message === undefined) throw new WireShapeError("expected activation rows, found none");
  const { rows, width, data } = message;
  const dtype = dtypeOfCode.get(message.dtype);
  if (dtype !== expected.dtype) {
    const found = dtype ?? `unknown dtype ${message.dtype}`;
    throw new WireShapeError(`expected ${expected.dtype} rows, found ${found}`);
  }
  if (width !== expected.width) {
    throw new WireShapeError(`expected rows of width ${expected.width}, found ${width}`);
  }
  if (rows < expected.rowsMin || rows > expected.rowsMax) {
    const { rowsMin, rowsMax } = expected;
    const range = rowsMin === rowsMax ? `${rowsMin}` : `${rowsMin} to ${rowsMax}`;
    throw new WireShapeError(`expected ${range} rows, found ${rows}`);
  }
  const bytes = rows * activationRowBytes(dtype, width);
  if (data.byteLength !== bytes) {
    throw new WireShapeError(
      `expected ${bytes} bytes for ${rows} rows of ${width} ${dtype}, found ${data.byteLength}`,
    );
  }
  return { dtype, rows, width, data };
}
