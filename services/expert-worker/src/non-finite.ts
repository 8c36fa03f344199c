// Finds NaN and infinity in packed rows, whatever their alignment.
import { type ActivationRows, activationRowBytes } from "@octet/core";

/**
 * Where the exponents in a word are: one of an f32, or two of bf16. An exponent of ones alone means
 * NaN or infinity; with 1 added it carries into the sign's bit, and no other does.
 */
interface ExponentBits {
  readonly exponents: number;
  readonly ones: number;
  readonly carries: number;
}
const f32Bits = { exponents: 0x7f80_0000, ones: 0x0080_0000, carries: 1 << 31 };
const bf16Bits = { exponents: 0x7f80_7f80, ones: 0x0080_0080, carries: (1 << 31) | (1 << 15) };

/** Whether any element, or any scale of a q8 row, is NaN or infinite. */
export function hasNonFinite({ dtype, rows, width, data }: ActivationRows): boolean {
  const bytes = data.byteOffset % 4 === 0 ? data : new Uint8Array(data);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
  switch (dtype) {
    case "f32":
      return holdsNonFinite(words, f32Bits);
    case "bf16":
      return holdsNonFinite(words, bf16Bits) || isOddLastNonFinite(bytes);
    case "q8": {
      const rowWords = activationRowBytes(dtype, width) / 4;
      for (let row = 0; row < rows; row++) {
        const scales = words.subarray(row * rowWords + width / 4, (row + 1) * rowWords);
        if (holdsNonFinite(scales, f32Bits)) return true;
      }
      return false;
    }
  }
}

function holdsNonFinite(words: Int32Array, { exponents, ones, carries }: ExponentBits): boolean {
  const numInFours = words.length & ~3;
  let found = 0;
  let i = 0;
  for (; i < numInFours; i += 4) {
    found |= ((words[i]! & exponents) + ones) | ((words[i + 1]! & exponents) + ones);
    found |= ((words[i + 2]! & exponents) + ones) | ((words[i + 3]! & exponents) + ones);
  }
  for (; i < words.length; i++) found |= (words[i]! & exponents) + ones;
  return (found & carries) !== 0;
}

/** The last of an odd number of bf16 elements, which is half a word. */
function isOddLastNonFinite(bytes: Uint8Array): boolean {
  if (bytes.length % 4 === 0) return false;
  const [low, high] = bytes.subarray(-2);
  return (high! & 0x7f) === 0x7f && low! >= 0x80;
}
