// What each token spells: bytes, text, or nothing.
import { bytesByCharacter } from "./byte-characters.ts";
import { spaceMark, type TokenizerFamily } from "./tokenizer-family.ts";
import type { Vocabulary } from "./vocabulary.ts";

/**
 * - bytes: part of a character, or several, that neighbours may complete
 * - text: whole characters; of these `begins` has the dummy prefix's space taken off
 */
export type TokenSpelling =
  | { readonly kind: "bytes"; readonly bytes: readonly number[] }
  | { readonly kind: "text"; readonly text: string; readonly begins: string };

const nothing: TokenSpelling = { kind: "text", text: "", begins: "" };

/** An id that the vocabulary lacks: the model's table may be padded beyond it. */
const unknown: TokenSpelling = { kind: "text", text: "\uFFFD", begins: "\uFFFD" };

/** Looks up what tokens spell; works each token out once. */
export class TokenSpellings {
  readonly #vocabulary: Vocabulary;
  readonly #family: TokenizerFamily;
  readonly #known = new Map<number, TokenSpelling>();

  constructor(vocabulary: Vocabulary, family: TokenizerFamily) {
    this.#vocabulary = vocabulary;
    this.#family = family;
  }

  get(id: number): TokenSpelling {
    let spelling = this.#known.get(id);
    if (spelling !== undefined) return spelling;
    const piece = this.#vocabulary.pieceOf(id);
    if (piece === undefined) return unknown;
    spelling = this.#spell(id, piece);
    this.#known.set(id, spelling);
    return spelling;
  }

  #spell(id: number, piece: string): TokenSpelling {
    if (this.#vocabulary.isControl(id)) return nothing;
    if (this.#vocabulary.isAdded(id)) return { kind: "text", text: piece, begins: piece };
    if (this.#family.kind === "byte-level") {
      const bytes = Array.from(piece, (character) => bytesByCharacter.get(character));
      if (bytes.every((byte) => byte !== undefined)) return { kind: "bytes", bytes };
      return { kind: "text", text: piece, begins: piece };
    }
    const byte = /^<0x([0-9A-F]{2})>$/.exec(piece)?.[1];
    if (byte !== undefined) return { kind: "bytes", bytes: [Number.parseInt(byte, 16)] };
    const text = piece.replaceAll(spaceMark, " ");
    const hasPrefix = this.#family.dummyPrefix !== "none" && piece.startsWith(spaceMark);
    return { kind: "text", text, begins: hasPrefix ? text.slice(1) : text };
  }
}
