// What a token looks like to people who read a prompt.
import type { TokenSpellings } from "./token-spelling.ts";
import type { Vocabulary } from "./vocabulary.ts";

const utf8 = new TextEncoder();

/** The bytes a token spells, and of one that steers the model the name. */
export function toPieceBytes(
  id: number,
  { vocabulary, spellings }: { vocabulary: Vocabulary; spellings: TokenSpellings },
): Uint8Array {
  const piece = vocabulary.pieceOf(id);
  if (piece !== undefined && vocabulary.isControl(id)) return utf8.encode(piece);
  const spelling = spellings.get(id);
  return spelling.kind === "bytes" ? Uint8Array.from(spelling.bytes) : utf8.encode(spelling.text);
}
