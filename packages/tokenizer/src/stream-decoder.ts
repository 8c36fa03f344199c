// Token ids to text, one token at a time; decoding a whole sequence is the same, all at once.
import type { TokenSpellings } from "./token-spelling.ts";
import { Utf8Assembler } from "./utf8-assembler.ts";

/** Turns one sequence's token ids into text, whole characters only. */
export interface StreamDecoder {
  /** The text that this token completes; empty for control tokens and unfinished characters. */
  push(tokenId: number): string;
  /** What is left of an unfinished character, as U+FFFD a byte, when no more tokens will come. */
  flush(): string;
}

/** Holds at most three bytes, whatever the length of the sequence. */
export class PieceStreamDecoder implements StreamDecoder {
  readonly #spellings: TokenSpellings;
  readonly #utf8 = new Utf8Assembler();
  /** Nothing has been spelled yet: the first space would be the dummy prefix. */
  #isBeginning: boolean;

  /** @param isBeginning whether a leading space is SentencePiece's prefix, and not text */
  constructor(spellings: TokenSpellings, isBeginning: boolean) {
    this.#spellings = spellings;
    this.#isBeginning = isBeginning;
  }

  push(tokenId: number): string {
    const spelling = this.#spellings.get(tokenId);
    if (spelling.kind === "bytes") {
      this.#isBeginning = false;
      return spelling.bytes.map((byte) => this.#utf8.push(byte)).join("");
    }
    const text = this.#isBeginning ? spelling.begins : spelling.text;
    if (spelling.text !== "") this.#isBeginning = false;
    return this.#utf8.flush() + text;
  }

  flush(): string {
    return this.#utf8.flush();
  }
}
