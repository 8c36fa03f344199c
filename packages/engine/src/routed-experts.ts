// Which experts one sequence's tokens chose.
import type { StepSequence } from "@octet/kernels";

/** Each token's experts in each layer, of all tokens that went through the model. */
export interface RoutedExperts {
  readonly numTokens: number;
  readonly numLayers: number;
  readonly numExpertsPerToken: number;
  /**
   * [numTokens, numLayers, numExpertsPerToken]: the prompt's tokens, then the answer's but the
   * last, which is sampled and goes through nothing; by falling gate logit.
   */
  readonly expertIds: Uint8Array;
}

/** Collects them as layers are computed; a step that is run again writes the same again. */
export class RoutedExpertsLog {
  readonly #numLayers: number;
  readonly #numExpertsPerToken: number;
  #expertIds: Uint8Array;

  constructor(model: { readonly numLayers: number; readonly numExpertsPerToken: number }) {
    this.#numLayers = model.numLayers;
    this.#numExpertsPerToken = model.numExpertsPerToken;
    this.#expertIds = new Uint8Array(0);
  }

  /** @param chosen [t, K], of the tokens at positions `start` .. `start` + t - 1 */
  write(layer: number, start: number, chosen: Int32Array): void {
    const K = this.#numExpertsPerToken;
    const perToken = this.#numLayers * K;
    this.#reserve((start + chosen.length / K) * perToken);
    for (let i = 0; i < chosen.length; i++) {
      const token = start + Math.floor(i / K);
      this.#expertIds[token * perToken + layer * K + (i % K)] = chosen[i]!;
    }
  }

  /** Of the first `numTokens` tokens. */
  take(numTokens: number): RoutedExperts {
    const numLayers = this.#numLayers;
    const numExpertsPerToken = this.#numExpertsPerToken;
    const expertIds = this.#expertIds.slice(0, numTokens * numLayers * numExpertsPerToken);
    return { numTokens, numLayers, numExpertsPerToken, expertIds };
  }

  /** Doubles, so that a long answer is copied few times. */
  #reserve(bytes: number): void {
    if (bytes <= this.#expertIds.length) return;
    const grown = new Uint8Array(Math.max(bytes, 2 * this.#expertIds.length));
    grown.set(this.#expertIds);
    this.#expertIds = grown;
  }
}

/** Writes down one layer's choices for each sequence of a step that wants to know. */
export function recordRouting(
  group: readonly (StepSequence & { readonly routedExperts: RoutedExpertsLog | undefined })[],
  layer: number,
  dispatch: { readonly expertIds: Int32Array; readonly numExpertsPerToken: number },
): void {
  let row = 0;
  for (const { tokenIds, startPosition, routedExperts } of group) {
    const end = row + tokenIds.length;
    const K = dispatch.numExpertsPerToken;
    routedExperts?.write(layer, startPosition, dispatch.expertIds.subarray(row * K, end * K));
    row = end;
  }
}
