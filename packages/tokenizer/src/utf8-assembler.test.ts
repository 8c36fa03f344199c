import fc from "fast-check";
import { expect, test } from "vitest";
import { Utf8Assembler } from "./utf8-assembler.ts";

function assemble(bytes: Iterable<number>): { pushed: string; whole: string } {
  const utf8 = new Utf8Assembler();
  const pushed = Array.from(bytes, (byte) => utf8.push(byte)).join("");
  return { pushed, whole: pushed + utf8.flush() };
}

/** The rule, with the whole sequence in hand: a character if one is here, else U+FFFD a byte. */
function decodeAtOnce(bytes: Uint8Array): string {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((count) => {
      try {
        return strict.decode(bytes.subarray(at, at + count)) !== "" && at + count <= bytes.length;
      } catch {
        return false;
      }
    });
    text += length === undefined ? "\uFFFD" : strict.decode(bytes.subarray(at, at + length));
    at += length ?? 1;
  }
  return text;
}

test("well-formed text comes out as it went in, with nothing left to flush", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(assemble(new TextEncoder().encode(text))).toEqual({ pushed: text, whole: text });
    }),
  );
});

const roughBytes = fc.array(
  fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0xc3, 0xa9, 0xed, 0xa0, 0xc0, 0xf4),
  ),
);

test("any bytes give the characters they hold, and U+FFFD for each other byte", () => {
  fc.assert(
    fc.property(roughBytes, (bytes) => {
      expect(assemble(bytes).whole).toBe(decodeAtOnce(Uint8Array.from(bytes)));
    }),
    { numRuns: 2_000 },
  );
});

test("never more than three bytes are held back", () => {
  fc.assert(
    fc.property(roughBytes, (bytes) => {
      const { pushed, whole } = assemble(bytes);
      expect(whole.slice(pushed.length)).toMatch(/^\uFFFD{0,3}$/u);
    }),
  );
});
