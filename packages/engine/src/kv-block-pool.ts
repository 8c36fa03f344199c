// Which KV blocks are free. The blocks' memory is the attention engine's.
import assert from "node:assert/strict";
import { type BlockId, toBlockId } from "@octet/core";

/** KV blocks 0 .. numBlocks - 1, each free or held by one holder. */
export class KvBlockPool {
  readonly numBlocks: number;
  readonly blockSizeTokens: number;
  /** A stack: the block released last is the likeliest to be in a cache. */
  readonly #free: BlockId[] = [];
  /** [numBlocks]: how many hold the block. At most 1 until prefixes are shared. */
  readonly #holders: Uint32Array;

  constructor(size: { numBlocks: number; blockSizeTokens: number }) {
    assert(Number.isInteger(size.numBlocks) && size.numBlocks > 0, `${size.numBlocks} blocks`);
    assert(
      Number.isInteger(size.blockSizeTokens) && size.blockSizeTokens > 0,
      `blocks of ${size.blockSizeTokens} tokens`,
    );
    this.numBlocks = size.numBlocks;
    this.blockSizeTokens = size.blockSizeTokens;
    this.#holders = new Uint32Array(size.numBlocks);
    for (let id = size.numBlocks - 1; id >= 0; id--) this.#free.push(toBlockId(id));
  }

  get numFree(): number {
    return this.#free.length;
  }

  /** Tokens that all blocks together have slots for. */
  get capacityTokens(): number {
    return this.numBlocks * this.blockSizeTokens;
  }

  /** Blocks that positions 0 .. numTokens - 1 need. */
  blocksFor(numTokens: number): number {
    return Math.ceil(numTokens / this.blockSizeTokens);
  }

  /**
   * Takes `count` blocks or none: half a grant would strand the sequence that asked.
   *
   * @returns undefined if fewer are free
   */
  allocate(count: number): BlockId[] | undefined {
    assert(Number.isInteger(count) && count >= 0, `allocate ${count} blocks`);
    if (count > this.#free.length) return undefined;
    const taken = this.#free.splice(this.#free.length - count, count);
    for (const id of taken) {
      assert(this.#holders[id] === 0, `block ${id} was free but held`);
      this.#holders[id] = 1;
    }
    return taken;
  }

  /** Gives blocks back; each must be held. */
  release(blocks: readonly BlockId[]): void {
    for (const id of blocks) {
      assert(this.#holders[id] === 1, `block ${id} was released but not held`);
      this.#holders[id] = 0;
      this.#free.push(id);
    }
  }

  /** @throws {AssertionError} if a block is lost, doubled, or both free and held */
  checkIntegrity(): void {
    const free = new Set(this.#free);
    assert.equal(free.size, this.#free.length, "a block is free twice");
    for (let id = 0; id < this.numBlocks; id++) {
      const isFree = free.has(toBlockId(id));
      assert.equal(this.#holders[id], isFree ? 0 : 1, `block ${id}: free ${isFree}, holders`);
    }
  }
}
