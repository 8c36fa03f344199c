// What one token adds to a text, as bytes: what grammars and log-probabilities speak of.
import type { TokenSpelling } from "./token-spelling.ts";

/** What a token adds to a text. */
export interface TokenBytes {
  /** Perhaps only a part of a character. Not empty. */
  readonly bytes: Uint8Array;
  /** The first byte is a space that an answer's first token loses: it is the dummy prefix. */
  readonly takesPrefix: boolean;
}

const utf8 = new TextEncoder();

/** @returns undefined for a token that spells nothing */
export function toTokenBytes(spelling: TokenSpelling): TokenBytes | undefined {
  if (spelling.kind === "bytes") {
    return { bytes: Uint8Array.from(spelling.bytes), takesPrefix: false };
  }
  if (spelling.text === "") return undefined;
  return { bytes: utf8.encode(spelling.text), takesPrefix: spelling.begins !== spelling.text };
}
