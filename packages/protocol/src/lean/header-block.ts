// Header blocks in the one form that lean ends write: HPACK's literal fields without indexing, names
// and values as they are (RFC 7541, section 6.2.2). Every HTTP/2 peer reads it; we read nothing else.
import { errorCode, LeanProtocolError } from "./frame.ts";

/** Header fields in their order, pseudo-headers first. */
export type Headers = ReadonlyMap<string, string>;

/** Largest header block that is read: a status of 1,024 characters takes up to nine bytes for each. */
export const headerBlockBytesMax = 16 * 1024;

/** Pattern byte of a literal field without indexing whose name is a literal too. */
const literalField = 0x00;
/** A length below this takes one byte; above, it goes on in bytes of seven bits. */
const shortLengthMax = 0x7f;

/** @param headers names in lower case; values in ISO 8859-1 */
export function encodeHeaders(headers: Iterable<readonly [string, string]>): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of headers) {
    parts.push(Buffer.of(literalField), ...literal(name), ...literal(value));
  }
  return Buffer.concat(parts);
}

function literal(text: string): [Buffer, Buffer] {
  const bytes = Buffer.from(text, "latin1");
  const length = [];
  if (bytes.length < shortLengthMax) length.push(bytes.length);
  else {
    length.push(shortLengthMax);
    let rest = bytes.length - shortLengthMax;
    for (; rest >= 0x80; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
    length.push(rest);
  }
  return [Buffer.from(length), bytes];
}

/** @throws {LeanProtocolError} for a block that is not of our form */
export function decodeHeaders(block: Buffer): Headers {
  const headers = new Map<string, string>();
  let at = 0;
  const readLiteral = () => {
    let length = block[at++] ?? shortLengthMax + 1;
    if (length > shortLengthMax) throw unreadable("a string in Huffman code, or none");
    if (length === shortLengthMax) {
      for (let shift = 0; ; shift += 7) {
        const byte = block[at++] ?? 0xff;
        if (shift > 14) throw unreadable("a string longer than any block");
        length += (byte & 0x7f) << shift;
        if (byte < 0x80) break;
      }
    }
    if (at + length > block.length) throw unreadable("a string that is cut off");
    at += length;
    return block.toString("latin1", at - length, at);
  };
  while (at < block.length) {
    if (block[at++] !== literalField) throw unreadable("an indexed field");
    const name = readLiteral();
    headers.set(name, readLiteral());
  }
  return headers;
}

function unreadable(what: string): LeanProtocolError {
  return new LeanProtocolError(errorCode.compression, `a header block with ${what}`);
}
