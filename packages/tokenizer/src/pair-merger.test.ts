import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { PairMerger } from "./pair-merger.ts";
import { mergeSlowly } from "./testing/merge-slowly.ts";
import { mistralV1Dir, readMistralV1 } from "./testing/mistral-v1.ts";
import { openTokenizer } from "./tokenizer.ts";

// The library and the large vocabulary are slow to load on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const vocabSize = 8;
const id = fc.integer({ min: 0, max: vocabSize - 1 });
const rules = fc.uniqueArray(fc.record({ left: id, right: id, merged: id }), {
  selector: ({ left, right }) => left * vocabSize + right,
  maxLength: 12,
});

test("merging with a heap equals looking for the best pair each time", () => {
  fc.assert(
    fc.property(rules, fc.array(id, { maxLength: 40 }), (someRules, symbols) => {
      const merger = new PairMerger(someRules, vocabSize);
      const merged = merger.merge(Int32Array.from(symbols));
      expect([...merged]).toEqual(mergeSlowly(symbols, someRules));
    }),
    { numRuns: 2_000 },
  );
});

test("ids equal the library's own, which merges by text", async () => {
  const ours = await openTokenizer(mistralV1Dir);
  const json = { ...(await readMistralV1()), added_tokens: [], post_processor: null };
  const library = new LibraryTokenizer(json, {});
  const spans = ["the", "  ", "----", "\n\n", "é", "ab", "▁", "</s>", "漢", "=", "tion", "0", " a"];
  const text = fc.oneof(
    fc.string({ unit: "binary", minLength: 1 }),
    fc.array(fc.constantFrom(...spans), { minLength: 1, maxLength: 40 }).map((s) => s.join("")),
  );
  fc.assert(
    fc.property(text, (some) => {
      expect([...ours.encode(some)]).toEqual(library.encode(some).ids);
    }),
    { numRuns: 300 },
  );
});
