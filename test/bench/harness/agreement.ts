// A comparison of speed is worth something only if both sides compute the same.
import { makePrompts } from "./text-generator.ts";

/** Something that can be asked for logits. */
export interface LogitsSource {
  /** @returns [t, V]: the logits after each token */
  logits(tokenIds: readonly number[]): Promise<Float32Array>;
}

const numTokens = 24;
/**
 * Both sides round activations to 8 bits, not in the same way: a product is off by about 0.6 %,
 * and logits by about 1.2 % after two layers. A wrong layout or rotation gives 140 %.
 */
const differenceMax = 0.04;

/**
 * Compares the logits of a short prompt.
 *
 * @returns the L2 norm of the difference over that of the peer's logits
 * @throws {Error} if it is more than rounding explains
 */
export async function checkAgreement(
  octet: LogitsSource & { readonly model: { readonly vocabSize: number } },
  peer: LogitsSource,
  say: (text: string) => void,
): Promise<number> {
  const [prompt] = makePrompts(1, numTokens, octet.model.vocabSize);
  const difference = relativeDifference(await octet.logits(prompt!), await peer.logits(prompt!));
  const percent = `${(difference * 100).toFixed(2)} %`;
  if (difference <= differenceMax) {
    say(`logits of both sides differ by ${percent}, as rounding explains`);
    return difference;
  }
  throw new Error(
    `Octet and its peer were given the same weights, and their logits differ by ${percent}: ` +
      `expected at most ${differenceMax * 100} %. One of them computes something else`,
  );
}

/** |a - b| / |b|, of two vectors of the same length; NaN if that is not a number. */
export function relativeDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.NaN;
  let squares = 0;
  let norm = 0;
  for (let i = 0; i < a.length; i++) {
    squares += (a[i]! - b[i]!) ** 2;
    norm += b[i]! ** 2;
  }
  return Math.sqrt(squares / norm);
}
