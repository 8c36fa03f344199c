// How byte-level vocabularies write bytes: each as one visible character.

/**
 * The character of each byte, by byte. Printable ASCII and Latin-1 stand for themselves; the other
 * 68, in order, take the characters from U+0100 on. Source: OpenAI GPT-2, src/encoder.py,
 * bytes_to_unicode.
 */
export const byteCharacters: readonly string[] = listByteCharacters();

/** The byte of each such character. */
export const bytesByCharacter: ReadonlyMap<string, number> = new Map(
  byteCharacters.map((character, byte) => [character, byte]),
);

function listByteCharacters(): string[] {
  let nextStandIn = 0x100;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCodePoint(isPrintable(byte) ? byte : nextStandIn++),
  );
}

function isPrintable(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
}
