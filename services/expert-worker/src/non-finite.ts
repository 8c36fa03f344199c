// Finds NaN and infinity in packed rows, whatever their alignment.
import { type ActivationRows, activationRowBytes } from "@octet/core";

/** Whether any element, or any scale of a q8 row, is NaN or infinite. */
export function hasNonFinite({ dtype, rows, width, data }: ActivationRows): boolean {
  switch (dtype) {
    case "f32":
      return anyNonFinite(data, { from: 0, to: data.length, elementBytes: 4 });
    case "bf16":
      return anyNonFinite(data, { from: 0, to: data.length, elementBytes: 2 });
    case "q8": {
      const rowBytes = activationRowBytes(dtype, width);
      for (let row = 0; row < rows; row++) {
        const scales = { from: row * rowBytes + width, to: (row + 1) * rowBytes, elementBytes: 4 };
        if (anyNonFinite(data, scales)) return true;
      }
      return false;
    }
  }
}

/**
 * In f32 and bf16 alike, little-endian, the exponent is the low 7 bits of an element's last byte
 * and the high bit of the one before; all ones mean NaN or infinity.
 */
function anyNonFinite(
  bytes: Uint8Array,
  { from, to, elementBytes }: { from: number; to: number; elementBytes: number },
): boolean {
  for (let last = from + elementBytes - 1; last < to; last += elementBytes) {
    if ((bytes[last]! & 0x7f) === 0x7f && bytes[last - 1]! >= 0x80) return true;
  }
  return false;
}
