// Bytes to characters, one byte at a time.

const replacement = "\uFFFD";

/**
 * Holds back at most three bytes: those of a character that may still become whole. A byte that
 * belongs to no character is one U+FFFD, as SentencePiece has it (a whole broken sequence is one
 * in the web's decoders). Source: google/sentencepiece, src/util.cc, DecodeUTF8.
 */
export class Utf8Assembler {
  #pending: number[] = [];

  /** @returns the characters that this byte completes, perhaps none */
  push(byte: number): string {
    this.#pending.push(byte);
    return this.#take(false);
  }

  /** What is held back, when no byte of the same character will come. */
  flush(): string {
    return this.#take(true);
  }

  #take(isEnd: boolean): string {
    let text = "";
    while (this.#pending.length > 0) {
      const sequence = readSequence(this.#pending);
      if (sequence === "incomplete" && !isEnd) break;
      if (typeof sequence === "string") {
        text += replacement;
        this.#pending.shift();
      } else {
        text += String.fromCodePoint(sequence.codePoint);
        this.#pending.splice(0, sequence.numBytes);
      }
    }
    return text;
  }
}

/** The character at the front of `bytes`, of which there is at least one. */
function readSequence(
  bytes: readonly number[],
): { codePoint: number; numBytes: number } | "incomplete" | "broken" {
  const lead = bytes[0]!;
  if (lead < 0x80) return { codePoint: lead, numBytes: 1 };
  const numBytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc0 || lead >= 0xf8) return "broken";
  let codePoint = lead & (0x7f >> numBytes);
  for (let i = 1; i < numBytes; i++) {
    const byte = bytes[i];
    if (byte === undefined) return "incomplete";
    if ((byte & 0xc0) !== 0x80) return "broken";
    codePoint = (codePoint << 6) | (byte & 0x3f);
  }
  const isSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
  if (codePoint < lowestOf[numBytes]! || codePoint > 0x10ffff || isSurrogate) return "broken";
  return { codePoint, numBytes };
}

/** The lowest code point that needs so many bytes: anything below was written too long. */
const lowestOf = [0, 0, 0x80, 0x800, 0x10000];
