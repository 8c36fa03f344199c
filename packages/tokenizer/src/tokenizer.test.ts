import fc from "fast-check";
import { expect, test } from "vitest";
import { mistralV1Dir } from "./testing/mistral-v1.ts";
import { openTokenizer, type Tokenizer } from "./tokenizer.ts";

const tokenizer = await openTokenizer(mistralV1Dir);

const controlSpelling = fc.constantFrom("<s>", "</s>", "<unk>", "<0x0A>", "[INST]", "▁", "\0");
const text = fc
  .array(fc.oneof(fc.string({ unit: "binary" }), fc.string(), controlSpelling))
  .map((parts) => parts.join(""));

function stream(from: Tokenizer, ids: Iterable<number>): string {
  const decoder = from.createStreamDecoder();
  return Array.from(ids, (id) => decoder.push(id)).join("") + decoder.flush();
}

test("decoding undoes encoding, but that U+2581 is the vocabulary's space", () => {
  fc.assert(
    fc.property(text, (some) => {
      expect(tokenizer.decode(tokenizer.encode(some))).toBe(some.replaceAll("\u2581", " "));
    }),
    { numRuns: 1_000 },
  );
});

test("text never becomes a control token, whatever it spells", () => {
  fc.assert(
    fc.property(text, (some) => {
      expect(tokenizer.encode(some).some((id) => tokenizer.isControlToken(id))).toBe(false);
    }),
    { numRuns: 1_000 },
  );
});

test("streamed decoding equals whole decoding for any ids, known or not", () => {
  const ids = fc.array(
    fc.oneof(
      fc.integer({ min: 0, max: 31_999 }),
      fc.integer({ min: 3, max: 258 }),
      fc.constantFrom(-1, 32_000, 2 ** 31),
    ),
  );
  fc.assert(
    fc.property(ids, (some) => {
      expect(stream(tokenizer, some)).toBe(tokenizer.decode(some));
    }),
  );
});

test("no push gives half a character", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (some) => {
      const decoder = tokenizer.createStreamDecoder();
      for (const id of tokenizer.encode(some)) {
        const piece = decoder.push(id);
        expect(piece.isWellFormed()).toBe(true);
        if (!some.includes("\uFFFD")) expect(piece).not.toContain("\uFFFD");
      }
      expect(decoder.flush()).toBe("");
    }),
  );
});

test("the first space is the encoder's, unless the tokens continue a text", () => {
  const [hello] = tokenizer.encode("Hello");
  expect(tokenizer.createStreamDecoder().push(hello!)).toBe("Hello");
  expect(tokenizer.createStreamDecoder({ continuesText: true }).push(hello!)).toBe(" Hello");
  const decoder = tokenizer.createStreamDecoder();
  expect([1, hello!, hello!].map((id) => decoder.push(id))).toEqual(["", "Hello", " Hello"]);
});

test("the bytes of a text's tokens, joined, are the text's", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (some) => {
      const ids = tokenizer.encode(`\u00e9${some}`);
      const bytes = Buffer.concat(Array.from(ids, (id) => tokenizer.pieceBytes(id)));
      expect(bytes.toString()).toBe(` \u00e9${some.replaceAll("\u2581", " ")}`);
    }),
    { numRuns: 500 },
  );
});

test("an id the vocabulary lacks is U+FFFD, and control tokens are nothing", () => {
  expect(tokenizer.decode([1, 32_000, 2])).toBe("\uFFFD");
  expect(tokenizer.decode([-1])).toBe("\uFFFD");
  expect(tokenizer.decode([0, 1, 2])).toBe("");
  expect([0, 1, 2, 3, 32_000].map((id) => tokenizer.isControlToken(id))).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
});

test("an unpaired surrogate counts as U+FFFD", () => {
  expect(tokenizer.encode("a\uD800b\uDC00")).toEqual(tokenizer.encode("a\uFFFDb\uFFFD"));
});

test("the empty text has no ids, and a beginning-of-sequence token when asked", () => {
  expect([...tokenizer.encode("")]).toEqual([]);
  expect([...tokenizer.encode("", { addBos: true })]).toEqual([1]);
  expect(tokenizer.decode([])).toBe("");
});

test("ids of roles and the vocabulary's size come from the folder", () => {
  expect(tokenizer.vocabSize).toBe(32_000);
  expect([tokenizer.bosTokenId, tokenizer.eosTokenId]).toEqual([1, 2]);
  expect(tokenizer.stopTokenIds).toEqual([2]);
});

test("time grows with a text's length, not with its square, even without a space in it", () => {
  const lengths = [5_000, 80_000];
  for (const unit of ["a", " ", "漢", "hello "]) {
    const [short, long] = lengths.map((length) => {
      const some = unit.repeat(length / unit.length);
      return Math.min(...[1, 2, 3].map(() => cpuMs(() => tokenizer.encode(some))));
    });
    // Sixteen times the length: n log n takes about 22 times as long, n squared 256.
    expect(long! / short!, JSON.stringify(unit)).toBeLessThan(90);
  }
}, 120_000);

/** The processor's time, which other processes on the machine do not lengthen. */
function cpuMs(run: () => void): number {
  const start = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000;
}
