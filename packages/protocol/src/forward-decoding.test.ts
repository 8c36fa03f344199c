import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decode } from "./forward-decoding.ts";
import { encode } from "./forward-encoding.ts";
import { DescribeResponseSchema, ForwardRequestSchema, ForwardResponseSchema } from "./index.ts";

const schemas = [ForwardRequestSchema, ForwardResponseSchema] as const;

/** What decoding gives: the message, or that there is none. */
function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch {
    return "unreadable";
  }
}

function expectTwin(schema: (typeof schemas)[number], bytes: Uint8Array): void {
  const found = outcome(() => decode<typeof schema>(schema, bytes));
  expect(found).toEqual(outcome(() => fromBinary<typeof schema>(schema, bytes)));
}

const u32 = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 0xffff_ffff }));
const u64 = fc.oneof(
  fc.bigInt(0n, 300n),
  fc.bigInt(2n ** 31n - 2n, 2n ** 32n + 2n),
  fc.bigInt(2n ** 53n - 2n, 2n ** 53n + 2n),
  fc.bigInt(0n, 2n ** 64n - 1n),
);

type Field = readonly [number: number, value: bigint | Uint8Array];

function write(fields: readonly Field[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const [number, value] of fields) {
    if (typeof value === "bigint") writer.tag(number, WireType.Varint).uint64(value);
    else writer.tag(number, WireType.LengthDelimited).bytes(value);
  }
  return writer.finish();
}

/** A message of some of `known` in any order, now and then twice, or with a field of no message. */
function message(...known: fc.Arbitrary<Field>[]): fc.Arbitrary<Uint8Array> {
  const strange = fc.tuple(fc.nat({ max: 39 }), fc.oneof(u64, fc.uint8Array({ maxLength: 9 })));
  const field = fc.oneof(
    { weight: 20, arbitrary: fc.oneof(...known) },
    { weight: 1, arbitrary: strange.map(([n, value]): Field => [n + 1, value]) },
  );
  return fc.array(field, { maxLength: 6 }).map(write);
}

const varint = (number: number) => u64.map((value): Field => [number, value]);
const nested = (number: number, content: fc.Arbitrary<Uint8Array>) =>
  content.map((value): Field => [number, value]);
const rowsBytes = message(...[1, 2, 3].map(varint), nested(4, fc.uint8Array({ maxLength: 9 })));
const requests = message(nested(1, message(...[1, 2, 3, 5].map(varint), nested(4, rowsBytes))));
const responses = message(
  varint(1),
  nested(2, rowsBytes),
  nested(4, message(...[1, 2].map(varint))),
);

test("fields in any order, left out, twice or unknown mean what protobuf-es reads", () => {
  const runs = { numRuns: 5_000 };
  fc.assert(
    fc.property(requests, (bytes) => expectTwin(ForwardRequestSchema, bytes)),
    runs,
  );
  fc.assert(
    fc.property(responses, (bytes) => expectTwin(ForwardResponseSchema, bytes)),
    runs,
  );
});

test("any bytes mean what protobuf-es reads", () => {
  fc.assert(
    fc.property(fc.constantFrom(...schemas), fc.uint8Array({ maxLength: 40 }), expectTwin),
    { numRuns: 3_000 },
  );
});

test("messages like ours, cut off anywhere, mean what protobuf-es reads", () => {
  const rows = fc.record({
    dtype: fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const),
    rows: u32,
    width: u32,
    data: fc.uint8Array({ maxLength: 20 }),
  });
  const ours = fc.oneof(
    fc
      .record({ callId: u64, layer: u32, expertId: u32, timeoutMs: u32, input: rows })
      .map((value) => [ForwardRequestSchema, { kind: { case: "call", value } }] as const),
    fc
      .record({ callId: u64, value: rows, queuedUs: u64, computedUs: u64 })
      .map(({ callId, value, queuedUs, computedUs }) => {
        const timings = { queuedUs, computedUs };
        const result = { case: "output", value } as const;
        return [ForwardResponseSchema, { callId, result, timings }] as const;
      }),
  );
  fc.assert(
    fc.property(ours, fc.nat(100), ([schema, init], cut) => {
      const whole = new Uint8Array(encode<typeof schema>(schema, init as never));
      expectTwin(schema, whole);
      expectTwin(schema, whole.subarray(0, cut));
      expectTwin(
        schema,
        toBinary<typeof schema>(schema, create<typeof schema>(schema, init as never)),
      );
    }),
  );
});

test("a payload is not copied", () => {
  const input = { data: new Uint8Array(1000).fill(3) };
  const bytes = encode(ForwardRequestSchema, { kind: { case: "call", value: { input } } });
  const { kind } = decode(ForwardRequestSchema, bytes);
  expect(kind.case === "call" && kind.value.input!.data.buffer).toBe(bytes.buffer);
});

test("every other message is read by protobuf-es", () => {
  const bytes = encode(DescribeResponseSchema, { workerId: "a", expertIds: [1, 2] });
  expect(decode(DescribeResponseSchema, bytes)).toEqual(fromBinary(DescribeResponseSchema, bytes));
});
