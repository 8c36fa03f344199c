// NaN and infinity by their bits: a shader's compiler may assume that there are none.
import type { ActivationDtype } from "@octet/core";

/** The index of the first value that is NaN or infinite; `bytes` start at a multiple of 4. */
export function firstNonFinite(
  bytes: Uint8Array<ArrayBuffer>,
  dtype: Exclude<ActivationDtype, "q8">,
): number | undefined {
  const { buffer, byteOffset, byteLength } = bytes;
  const [words, exponent] =
    dtype === "bf16"
      ? [new Uint16Array(buffer, byteOffset, byteLength / 2), 0x7f80]
      : [new Uint32Array(buffer, byteOffset, byteLength / 4), 0x7f80_0000];
  for (let i = 0; i < words.length; i++) if ((words[i]! & exponent) === exponent) return i;
  return undefined;
}
