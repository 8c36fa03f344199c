import fc from "fast-check";
import { expect, test } from "vitest";
import { LeanProtocolError } from "./frame.ts";
import { decodeHeaders, encodeHeaders } from "./header-block.ts";

const latin1 = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((c) => String.fromCharCode(c)),
});
const longLatin1 = fc.tuple(latin1, fc.nat(1000)).map(([text, times]) => text.repeat(times));
const fields = fc.dictionary(latin1, fc.oneof(latin1, longLatin1), { noNullPrototype: true });

test("headers come out as they went in", () => {
  fc.assert(
    fc.property(fields, (headers) => {
      const decoded = decodeHeaders(encodeHeaders(Object.entries(headers)));
      expect(new Map(decoded)).toEqual(new Map(Object.entries(headers)));
    }),
  );
});

test("lengths around the step from one byte to more keep their value", () => {
  for (const length of [0, 1, 126, 127, 128, 254, 255, 256, 16_000]) {
    const value = "v".repeat(length);
    expect(decodeHeaders(encodeHeaders([["name", value]])).get("name")).toBe(value);
  }
});

test("whatever else comes is an error of the protocol, and no other", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        decodeHeaders(Buffer.from(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(LeanProtocolError);
      }
    }),
    { numRuns: 2_000 },
  );
});

test.each<[string, number[]]>([
  ["an indexed field", [0x82]],
  ["a field to be indexed", [0x40, 1, 97, 1, 98]],
  ["a change of the table's size", [0x20]],
  ["Huffman code", [0, 0x81, 0xff, 0x81, 0xff]],
  ["no name", [0]],
  ["no value", [0, 1, 97]],
  ["a value that is cut off", [0, 1, 97, 3, 98]],
  ["a length without end", [0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
  ["a length that is cut off", [0, 0x7f, 0x80]],
])("a block with %s is refused", (_what, bytes) => {
  expect(() => decodeHeaders(Buffer.from(bytes))).toThrow(LeanProtocolError);
});
