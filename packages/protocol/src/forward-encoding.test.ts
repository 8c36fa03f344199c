import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { encode } from "./forward-encoding.ts";
import {
  CallFailureCode,
  DescribeResponseSchema,
  ForwardRequestSchema,
  ForwardResponseSchema,
} from "./index.ts";

const u32 = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 0xffff_ffff }));
const u64 = fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 2n ** 64n - 1n));

const rows = fc.record({
  dtype: fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const),
  rows: u32,
  width: u32,
  data: fc.uint8Array({ maxLength: 300 }),
});

const requests = fc
  .record({ callId: u64, layer: u32, expertId: u32, timeoutMs: u32, input: rows })
  .map((value) => create(ForwardRequestSchema, { kind: { case: "call", value } }));

const responses = fc
  .record({
    callId: u64,
    result: fc.record({ case: fc.constant("output" as const), value: rows }),
    timings: fc.record({ queuedUs: u64, computedUs: u64 }),
  })
  .map((value) => create(ForwardResponseSchema, value));

test("requests written by hand mean what protobuf-es would write", () => {
  fc.assert(
    fc.property(requests, (message) => {
      const bytes = encode(ForwardRequestSchema, message);
      expect(fromBinary(ForwardRequestSchema, new Uint8Array(bytes))).toEqual(message);
    }),
  );
});

test("responses written by hand mean what protobuf-es would write", () => {
  fc.assert(
    fc.property(responses, (message) => {
      const bytes = encode(ForwardResponseSchema, message);
      expect(fromBinary(ForwardResponseSchema, new Uint8Array(bytes))).toEqual(message);
    }),
  );
});

test("a payload of megabytes keeps every length right", () => {
  const data = new Uint8Array(3 * 1024 * 1024 + 5).fill(7);
  const input = { dtype: 2 as const, rows: 3, width: 9, data };
  const call = { case: "call" as const, value: { callId: 1n, input } };
  const message = create(ForwardRequestSchema, { kind: call });
  const back = fromBinary(ForwardRequestSchema, encode(ForwardRequestSchema, message));
  expect(toBinary(ForwardRequestSchema, back)).toEqual(toBinary(ForwardRequestSchema, message));
});

test("every other message is written by protobuf-es", () => {
  const others = [
    [ForwardRequestSchema, {}],
    [ForwardRequestSchema, { kind: { case: "call", value: { callId: 3n } } }],
    [ForwardRequestSchema, { kind: { case: "cancel", value: { callIds: [1n, 2n ** 64n - 1n] } } }],
    [ForwardResponseSchema, { callId: 9n }],
    [
      ForwardResponseSchema,
      { result: { case: "failure", value: { code: CallFailureCode.INTERNAL, message: "é" } } },
    ],
    [DescribeResponseSchema, { workerId: "a", expertIds: [1, 2] }],
  ] as const;
  for (const [schema, init] of others) {
    const message = create<typeof schema>(schema, init as never);
    expect(new Uint8Array(encode<typeof schema>(schema, message))).toEqual(
      toBinary(schema, message),
    );
  }
});
