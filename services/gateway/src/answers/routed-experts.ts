// Which experts each token used, as vLLM tells it: a NumPy file in base64.
import type { RoutedExperts } from "@octet/protocol";

/** A .npy file's header is padded to a multiple of this, in bytes. */
const headerAlignmentBytes = 64;
/** Magic, version 1.0 and the header's length. */
const preludeBytes = 10;

/** Base64 of a .npy file: u1 [tokens, layers, experts of a token]. */
export function toNpyBase64(routed: RoutedExperts): string {
  const shape = [routed.numTokens, routed.numLayers, routed.numExpertsPerToken].join(", ");
  const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape}), }`;
  const unpadded = preludeBytes + header.length + 1;
  const padding = (headerAlignmentBytes - (unpadded % headerAlignmentBytes)) % headerAlignmentBytes;
  const text = `${header}${" ".repeat(padding)}\n`;
  const prelude = Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0, 0, 0]);
  prelude.writeUInt16LE(text.length, preludeBytes - 2);
  return Buffer.concat([prelude, Buffer.from(text, "latin1"), routed.expertIds]).toString("base64");
}
