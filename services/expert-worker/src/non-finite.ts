// Finds NaN and infinity in packed rows, whatever their alignment.
import { type ActivationRows, activationRowBytes } from "@octet/core";

/** Whether any element, or any scale of a q8 row, is NaN or infinite. */
export function hasNonFinite({ dtype, rows, width, data }: ActivationRows): boolean {
  switch (dtype) {
    case "f32":
      return mayHaveNonFinite(data, 4) && anyNonFinite(data, 4);
    case "bf16":
      return mayHaveNonFinite(data, 2) && anyNonFinite(data, 2);
    case "q8": {
      const rowBytes = activationRowBytes(dtype, width);
      for (let row = 0; row < rows; row++) {
        const scales = data.subarray(row * rowBytes + width, (row + 1) * rowBytes);
        if (anyNonFinite(scales, 4)) return true;
      }
      return false;
    }
  }
}

/**
 * In f32 and bf16 alike, little-endian, the exponent is the low 7 bits of an element's last byte
 * and the high bit of the one before; all ones mean NaN or infinity.
 */
function anyNonFinite(bytes: Uint8Array, elementBytes: 2 | 4): boolean {
  for (let last = elementBytes - 1; last < bytes.length; last += elementBytes) {
    if ((bytes[last]! & 0x7f) === 0x7f && bytes[last - 1]! >= 0x80) return true;
  }
  return false;
}

/**
 * Looks at last bytes alone, four bytes of memory at a time: those of NaN, infinity and numbers
 * beyond 1.7e38 end in seven ones, and hardly any others occur. Over megabytes it matters.
 */
function mayHaveNonFinite(bytes: Uint8Array, elementBytes: 2 | 4): boolean {
  const skipped = -bytes.byteOffset & 3;
  const numWords = Math.max(0, (bytes.length - skipped) >> 2);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset + skipped, numWords);
  const lastByte = (bytes.byteOffset + elementBytes - 1) & 3; // its place in a word
  const first = 0x7f << (8 * lastByte);
  const second = 0x7f << (8 * ((lastByte + elementBytes) & 3)); // the same again for f32
  for (let i = 0; i < numWords; i++) {
    const word = words[i]!;
    if ((word & first) === first || (word & second) === second) return true;
  }
  // Elements that begin or end outside the words.
  const edge = skipped + 3;
  return (
    anyNonFinite(bytes.subarray(0, edge + (elementBytes - (edge % elementBytes))), elementBytes) ||
    anyNonFinite(bytes.subarray(-2 * elementBytes), elementBytes)
  );
}
