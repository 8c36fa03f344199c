// What a full KV block holds, said in 32 bytes: the tokens in it and all that came before them.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";

/** SHA-256 over a prefix of whole blocks, as hexadecimal text: a key for a Map. */
export type PrefixDigest = string & { readonly __prefix: true };

/** Separates this use of SHA-256, and this layout of what is hashed, from any other. */
const rootTag = "octet kv prefix 1";

/** Whose blocks may be found by whom. */
export type PrefixScope =
  /** Whoever names the same salt; none is the salt "". */
  | { readonly kind: "salt"; readonly salt: string }
  /** The answers of one request, and nobody else. */
  | { readonly kind: "request"; readonly requestNumber: number };

/**
 * The digests of one sequence's full blocks. Block i's is SHA-256(digest of block i - 1, the block's
 * token ids as little-endian int32); block 0's has the scope's digest before it. So equal digests
 * mean equal tokens from the first on, in one scope, and, as a token's keys and values depend on
 * nothing else, equal keys and values.
 */
export class PrefixChain {
  readonly #blockSizeTokens: number;
  readonly #root: PrefixDigest;
  readonly #digests: PrefixDigest[] = [];

  constructor(scope: PrefixScope, blockSizeTokens: number) {
    this.#blockSizeTokens = blockSizeTokens;
    this.#root = rootOf(scope);
  }

  /**
   * @param block of which all tokens are known
   * @param tokenIds the sequence's, from its first on: always the same, and perhaps more
   */
  digestOf(block: number, tokenIds: readonly number[]): PrefixDigest {
    assert((block + 1) * this.#blockSizeTokens <= tokenIds.length, `block ${block} is not full`);
    while (this.#digests.length <= block) {
      const start = this.#digests.length * this.#blockSizeTokens;
      const ids = Buffer.alloc(this.#blockSizeTokens * 4);
      for (let i = 0; i < this.#blockSizeTokens; i++) ids.writeInt32LE(tokenIds[start + i]!, i * 4);
      this.#digests.push(sha256(Buffer.from(this.#digests.at(-1) ?? this.#root, "hex"), ids));
    }
    return this.#digests[block]!;
  }
}

function rootOf(scope: PrefixScope): PrefixDigest {
  // The length goes before the text, so that no two scopes are the same bytes.
  const text = Buffer.from(scope.kind === "salt" ? scope.salt : String(scope.requestNumber));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return sha256(Buffer.from(`${rootTag} ${scope.kind}\0`), length, text);
}

function sha256(...parts: readonly Buffer[]): PrefixDigest {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex") as PrefixDigest; // the only maker of digests
}
