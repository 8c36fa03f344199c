// Text to token ids, for both families. Text never becomes an added or a control token here.
import type { BpeModel } from "./bpe-model.ts";
import { byteCharacters } from "./byte-characters.ts";
import { type MergeRule, PairMerger } from "./pair-merger.ts";
import { TokenizerError } from "./tokenizer-error.ts";
import { spaceMark } from "./tokenizer-family.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** Encodes a stretch of text that stands alone. */
export interface TextEncoding {
  /** @param withDummyPrefix whether SentencePiece's extra "▁" goes before it */
  encode(text: string, withDummyPrefix: boolean): Int32Array;
}

const utf8 = new TextEncoder();

/** Words whose ids are remembered at a time, and the longest of them, in UTF-16 code units. */
const knownWordsMax = 16_384;
const knownWordLengthMax = 32;

/**
 * SentencePiece byte-pair encoding: ids as SentencePiece gives them. Where no rule joins the end of
 * one word to the space before the next, as in every published vocabulary, words are encoded one by
 * one, and those that came before are remembered: a long text takes a tenth of the time.
 *
 * @throws {TokenizerError} "bad-file" if one of the 256 byte pieces is missing
 */
export function createSentencePieceEncoding(model: BpeModel, path: string): TextEncoding {
  const { vocabulary, rules } = model;
  const merger = new PairMerger(rules, vocabulary.size);
  const byteIds = Uint32Array.from({ length: 256 }, (_, byte) =>
    requireId(vocabulary, bytePiece(byte), path),
  );
  const encodeAlone = (spelled: string): Int32Array => {
    // A UTF-16 unit takes at most three bytes, and an unknown character one id a byte.
    const ids = new Int32Array(3 * spelled.length);
    let count = 0;
    for (const character of spelled) {
      const id = vocabulary.textIdOf(character);
      if (id !== undefined) {
        ids[count++] = id;
        continue;
      }
      const isAscii = character <= "\u007F";
      const bytes = isAscii ? [character.charCodeAt(0)] : utf8.encode(character);
      for (let i = 0; i < bytes.length; i++) ids[count++] = byteIds[bytes[i]!]!;
    }
    return merger.merge(ids.subarray(0, count));
  };
  const known = new Map<string, Int32Array>();
  const encodeWord = (word: string): Int32Array => {
    const before = known.get(word);
    if (before !== undefined) return before;
    const ids = encodeAlone(word);
    if (word.length <= knownWordLengthMax) {
      if (known.size >= knownWordsMax) known.clear();
      known.set(word, ids.slice());
    }
    return ids;
  };
  const wordsStandAlone = !rules.some((rule) => joinsWords(rule, vocabulary));
  return {
    encode(text, withDummyPrefix) {
      if (text === "") return new Int32Array(0);
      const spelled = (withDummyPrefix ? spaceMark : "") + text.replaceAll(" ", spaceMark);
      if (!wordsStandAlone) return encodeAlone(spelled);
      const ids = new Int32Array(3 * spelled.length);
      let count = 0;
      for (let start = 0; start < spelled.length; ) {
        const end = endOfWord(spelled, start);
        const wordIds = encodeWord(spelled.slice(start, end));
        ids.set(wordIds, count);
        count += wordIds.length;
        start = end;
      }
      return ids.slice(0, count);
    },
  };
}

/** Whether a rule makes one token of a word's end and a space after it. */
function joinsWords({ left, right }: MergeRule, vocabulary: Vocabulary): boolean {
  const [before, after] = [left, right].map((id) => vocabulary.pieceOf(id) ?? "");
  return !before!.endsWith(spaceMark) && after!.startsWith(spaceMark);
}

/** Of the word that begins at `start`, spaces and what follows them up to the next space. */
function endOfWord(spelled: string, start: number): number {
  let end = start;
  while (spelled[end] === spaceMark) end++;
  const next = spelled.indexOf(spaceMark, end);
  return next < 0 ? spelled.length : next;
}

/**
 * Byte-level byte-pair encoding: the library normalises and cuts into words, each is merged alone.
 *
 * @throws {TokenizerError} "bad-file" if one of the 256 byte characters is missing
 */
export function createByteLevelEncoding(model: BpeModel, path: string): TextEncoding {
  const { vocabulary, rules, wholeWordsFirst } = model;
  const merger = new PairMerger(rules, vocabulary.size);
  for (const character of byteCharacters) requireId(vocabulary, character, path);
  const encodeWord = (word: string): ArrayLike<number> => {
    const whole = wholeWordsFirst ? vocabulary.textIdOf(word) : undefined;
    if (whole !== undefined) return [whole];
    return merger.merge(Int32Array.from(word, (byte) => requireId(vocabulary, byte, path)));
  };
  return {
    encode(text) {
      if (text === "") return new Int32Array(0);
      const ids: number[] = [];
      for (const word of model.splitWords(text)) {
        const wordIds = encodeWord(word);
        for (let i = 0; i < wordIds.length; i++) ids.push(wordIds[i]!);
      }
      return Int32Array.from(ids);
    },
  };
}

/** The piece that stands for one byte: "<0x0A>". */
function bytePiece(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
}

function requireId(vocabulary: Vocabulary, piece: string, path: string): number {
  const id = vocabulary.textIdOf(piece);
  if (id !== undefined) return id;
  const detail = `expected a piece for every byte, found none for ${JSON.stringify(piece)}`;
  throw new TokenizerError("bad-file", `${path}: model.vocab: ${detail}`);
}
