import { KernelError } from "../kernel-error.ts";
import type { PlainSequence } from "./step-tables.ts";

/**
 * Which KV blocks were written since the cache was made. After a lost device the cache is made anew
 * and empty: a sequence that goes on from positions it no longer holds must not be computed.
 */
export class WrittenBlocks {
  readonly #isWritten: Uint8Array;
  readonly #blockSizeTokens: number;

  constructor(cache: { readonly numBlocks: number; readonly blockSizeTokens: number }) {
    this.#isWritten = new Uint8Array(cache.numBlocks);
    this.#blockSizeTokens = cache.blockSizeTokens;
  }

  /**
   * Takes note of what a step is about to write.
   *
   * @throws {KernelError} "device-lost" if a sequence builds on positions that are not there
   */
  open(sequences: readonly PlainSequence[]): void {
    for (const { blockTable, startPosition } of sequences) {
      const numRead = Math.ceil(startPosition / this.#blockSizeTokens);
      for (const block of blockTable.subarray(0, numRead)) {
        if (this.#isWritten[block] !== 0) continue;
        throw new KernelError(
          "device-lost",
          `the KV cache holds nothing before position ${startPosition} any more: it went with a ` +
            "lost device; compute the sequence from its first token again",
        );
      }
    }
    for (const { blockTable, startPosition, tokenIds } of sequences) {
      const first = Math.floor(startPosition / this.#blockSizeTokens);
      const end = Math.ceil((startPosition + tokenIds.length) / this.#blockSizeTokens);
      for (const block of blockTable.subarray(first, end)) this.#isWritten[block] = 1;
    }
  }
}
