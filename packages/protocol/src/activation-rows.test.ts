import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type ActivationRows, activationRowBytes } from "@octet/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  ActivationDtypeCode,
  type ActivationRowsMessage,
  ActivationRowsSchema,
  type ExpectedActivationRows,
  fromActivationRowsMessage,
  toActivationRowsMessage,
  WireShapeError,
} from "./index.ts";

const rowsMax = 5;

const anyRows: fc.Arbitrary<ActivationRows> = fc
  .record({
    dtype: fc.constantFrom("f32" as const, "bf16" as const, "q8" as const),
    rows: fc.integer({ min: 1, max: rowsMax }),
    blocks: fc.integer({ min: 1, max: 3 }),
  })
  .chain(({ dtype, rows, blocks }) => {
    const width = blocks * 32;
    const bytes = rows * activationRowBytes(dtype, width);
    const data = fc.uint8Array({ minLength: bytes, maxLength: bytes });
    return data.map((bytesOfRows) => ({ dtype, rows, width, data: bytesOfRows }));
  });

function overTheWire(rows: ActivationRows): ActivationRowsMessage {
  const message = create(ActivationRowsSchema, toActivationRowsMessage(rows));
  return fromBinary(ActivationRowsSchema, toBinary(ActivationRowsSchema, message));
}

function expectedOf(rows: ActivationRows): ExpectedActivationRows {
  return { dtype: rows.dtype, width: rows.width, rowsMin: 1, rowsMax };
}

test("rows survive the wire bit by bit", () => {
  fc.assert(
    fc.property(anyRows, (rows) => {
      const back = fromActivationRowsMessage(overTheWire(rows), expectedOf(rows));
      expect(back).toEqual(rows);
    }),
  );
});

test("a message that differs in any one respect is refused, saying what was expected", () => {
  const changes = fc.constantFrom<(m: ActivationRowsMessage) => void>(
    (m) => (m.dtype = ActivationDtypeCode.UNSPECIFIED),
    (m) => (m.dtype = 99 as typeof m.dtype),
    (m) => (m.dtype = m.dtype === ActivationDtypeCode.F32 ? 2 : 1),
    (m) => (m.rows = 0),
    (m) => (m.rows += 1),
    (m) => (m.rows = 0xffff_ffff),
    (m) => (m.width += 32),
    (m) => (m.width = 0),
    (m) => (m.width = 0xffff_ffff),
    (m) => (m.data = m.data.subarray(1)),
    (m) => (m.data = new Uint8Array(m.data.length + 1)),
    (m) => (m.data = new Uint8Array(0)),
  );
  fc.assert(
    fc.property(anyRows, changes, (rows, change) => {
      const message = overTheWire(rows);
      change(message);
      const parse = () => fromActivationRowsMessage(message, expectedOf(rows));
      expect(parse).toThrow(WireShapeError);
      expect(parse).toThrow(/^expected .+, found /);
    }),
  );
});

test("rows beyond the limit are refused even when their bytes match", () => {
  const rows = { dtype: "f32", rows: rowsMax + 1, width: 1, data: new Uint8Array(24) } as const;
  const parse = () => fromActivationRowsMessage(overTheWire(rows), expectedOf(rows));
  expect(parse).toThrow("expected 1 to 5 rows, found 6");
});

test("no rows at all are refused", () => {
  const expected = { dtype: "f32", width: 1, rowsMin: 1, rowsMax } as const;
  expect(() => fromActivationRowsMessage(undefined, expected)).toThrow(WireShapeError);
});

test("sending rows whose bytes do not match their shape is a bug", () => {
  const rows = { dtype: "bf16", rows: 2, width: 3, data: new Uint8Array(11) } as const;
  expect(() => toActivationRowsMessage(rows)).toThrow("2 rows of 3 bf16");
});
