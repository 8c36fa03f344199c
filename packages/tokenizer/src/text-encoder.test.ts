import assert from "node:assert/strict";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { MergeRule } from "./pair-merger.ts";
import { mergeSlowly } from "./testing/merge-slowly.ts";
import { createSentencePieceEncoding } from "./text-encoder.ts";
import { Vocabulary } from "./vocabulary.ts";

const bytePieces = Array.from({ length: 256 }, (_, byte) => {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
});
const letters = ["\u2581", "a", "b"];

/** Rules each of which joins two of the pieces that were there before it. */
function modelOf(pairs: readonly (readonly [number, number])[]) {
  const pieces = [...letters];
  const joined = new Map<string, readonly [number, number]>();
  for (const [a, b] of pairs) {
    const [left, right] = [a % pieces.length, b % pieces.length];
    const merged = pieces[left]! + pieces[right]!;
    if (pieces.includes(merged)) continue;
    joined.set(merged, [left, right]);
    pieces.push(merged);
  }
  const vocabulary = new Vocabulary([...bytePieces, ...pieces], [], new Set());
  const idOf = (at: number) => bytePieces.length + at;
  const rules = Array.from(joined, ([merged, [left, right]]): MergeRule => {
    return { left: idOf(left), right: idOf(right), merged: vocabulary.textIdOf(merged)! };
  });
  const about = { vocabulary, rules, wholeWordsFirst: false, splitWords: () => [] };
  return { encoding: createSentencePieceEncoding(about, "here"), rules, vocabulary };
}

const pair = fc.tuple(fc.nat({ max: 40 }), fc.nat({ max: 40 }));
const text = fc.array(fc.constantFrom("a", "b", " ", "  ", " a", "z"), { maxLength: 24 });

test("words one by one give the ids of the text in one, whatever the rules", () => {
  let joining = 0;
  fc.assert(
    fc.property(
      fc.array(pair, { maxLength: 12 }),
      fc.array(text),
      fc.boolean(),
      (pairs, all, p) => {
        const { encoding, rules, vocabulary } = modelOf(pairs);
        joining += rules.some(({ merged }) => /[ab]\u2581/.test(vocabulary.pieceOf(merged)!))
          ? 1
          : 0;
        for (const parts of all) {
          const some = parts.join("");
          if (some === "") continue;
          const spelled = (p ? " " : "") + some;
          const symbols = Array.from(spelled.replaceAll(" ", "\u2581"), (character) => {
            return vocabulary.textIdOf(character) ?? character.charCodeAt(0);
          });
          // Twice: what is remembered is what was found.
          for (let i = 0; i < 2; i++) {
            assert.deepEqual([...encoding.encode(some, p)], mergeSlowly(symbols, rules));
          }
        }
      },
    ),
    { numRuns: 500 },
  );
  // Rules of both kinds were tried.
  expect(joining).toBeGreaterThan(50);
  expect(joining).toBeLessThan(450);
});
