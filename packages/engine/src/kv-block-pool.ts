// Which KV blocks are held, cached or free. The blocks' memory is the attention engine's.
import assert from "node:assert/strict";
import { type BlockId, toBlockId } from "@octet/core";
import type { PrefixDigest } from "./prefix-chain.ts";

/**
 * KV blocks 0 .. numBlocks - 1. Each is held by one or more holders, or cached (held by nobody, but
 * registered: its keys and values are those of a known prefix), or free.
 */
export class KvBlockPool {
  readonly numBlocks: number;
  readonly blockSizeTokens: number;
  /** A stack: the block released last is the likeliest to be in a processor's cache. */
  readonly #free: BlockId[] = [];
  /** Held by nobody and registered, the one to evict first at the front. */
  readonly #cached = new Set<BlockId>();
  /** [numBlocks]: how many hold the block. */
  readonly #holders: Uint32Array;
  /** What registered blocks hold, and where it is: each the other's inverse. */
  readonly #digestOf = new Map<BlockId, PrefixDigest>();
  readonly #blockOf = new Map<PrefixDigest, BlockId>();

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

  /** Blocks that hold nothing of use. */
  get numFree(): number {
    return this.#free.length;
  }

  /** Blocks that nobody holds and a prefix may find again; as good as free, if need be. */
  get numCached(): number {
    return this.#cached.size;
  }

  /** Tokens that all blocks together have slots for. */
  get capacityTokens(): number {
    return this.numBlocks * this.blockSizeTokens;
  }

  /** Blocks that positions 0 .. numTokens - 1 need. */
  blocksFor(numTokens: number): number {
    return Math.ceil(numTokens / this.blockSizeTokens);
  }

  /** Whether nobody holds the block. */
  isUnheld(id: BlockId): boolean {
    return this.#holders[id] === 0;
  }

  /** The block registered under `digest`, held or cached. */
  find(digest: PrefixDigest): BlockId | undefined {
    return this.#blockOf.get(digest);
  }

  /**
   * One more holder for each block of a prefix, and `count` blocks besides: all of it or nothing,
   * since half a grant would strand the sequence that asked. The prefix is held before anything is
   * evicted, so that no block of it is.
   *
   * @param prefix registered blocks, as {@link find} gives them, in their order
   * @returns both, in order; undefined if too few are free or cached
   */
  grant(prefix: readonly BlockId[], count: number): BlockId[] | undefined {
    this.#hold(prefix);
    const taken = this.allocate(count);
    if (taken === undefined) {
      this.release(prefix);
      return undefined;
    }
    return [...prefix, ...taken];
  }

  /**
   * Takes `count` blocks or none: free ones first, then cached ones, least recently used first.
   *
   * @returns undefined if fewer are free or cached
   */
  allocate(count: number): BlockId[] | undefined {
    assert(Number.isInteger(count) && count >= 0, `allocate ${count} blocks`);
    if (count > this.#free.length + this.#cached.size) return undefined;
    const fromFree = Math.min(count, this.#free.length);
    const taken = this.#free.splice(this.#free.length - fromFree, fromFree);
    for (const id of this.#cached) {
      if (taken.length === count) break;
      this.#cached.delete(id);
      this.#unregister(id);
      taken.push(id);
    }
    for (const id of taken) {
      assert(this.#holders[id] === 0, `block ${id} was free but held`);
      this.#holders[id] = 1;
    }
    return taken;
  }

  /**
   * One holder less for each block. Those that nobody holds any more are cached if they are
   * registered, else free. Last first: a prefix is then evicted from its end, and what is left of
   * it can still be found.
   *
   * @param blocks a sequence's, in order
   */
  release(blocks: readonly BlockId[]): void {
    for (const id of blocks.toReversed()) {
      assert(this.#holders[id]! > 0, `block ${id} was released but not held`);
      this.#holders[id]! -= 1;
      if (this.#holders[id] !== 0) continue;
      if (this.#digestOf.has(id)) this.#cached.add(id);
      else this.#free.push(id);
    }
  }

  /**
   * Lets a full block be found by those whose tokens begin alike. When two sequences computed the
   * same prefix side by side, the second's block stays unregistered: one is enough.
   */
  register(id: BlockId, digest: PrefixDigest): void {
    assert(this.#holders[id]! > 0, `block ${id} was registered but not held`);
    if (this.#blockOf.has(digest) || this.#digestOf.has(id)) return;
    this.#blockOf.set(digest, id);
    this.#digestOf.set(id, digest);
  }

  /** Nothing registered can be found any more: what the blocks held is gone. */
  forgetPrefixes(): void {
    this.#free.push(...this.#cached);
    this.#cached.clear();
    this.#digestOf.clear();
    this.#blockOf.clear();
  }

  /**
   * @param held every sequence's blocks, a shared block once for each
   * @throws {AssertionError} if a block is lost, doubled, or not as often held as in `held`
   */
  checkIntegrity(held: readonly BlockId[]): void {
    const free = new Set(this.#free);
    assert.equal(free.size, this.#free.length, "a block is free twice");
    const holders = new Uint32Array(this.numBlocks);
    for (const id of held) holders[id]! += 1;
    for (let block = 0; block < this.numBlocks; block++) {
      const id = toBlockId(block);
      assert.equal(this.#holders[id], holders[id], `block ${id}: holders`);
      const states = [holders[id]! > 0, free.has(id), this.#cached.has(id)];
      assert.equal(states.filter(Boolean).length, 1, `block ${id}: held, free, cached: ${states}`);
      if (free.has(id)) assert(!this.#digestOf.has(id), `block ${id}: free but registered`);
      if (this.#cached.has(id)) assert(this.#digestOf.has(id), `block ${id}: cached for nothing`);
    }
    assert.equal(this.#blockOf.size, this.#digestOf.size, "two digests name one block");
    for (const [id, digest] of this.#digestOf) assert.equal(this.#blockOf.get(digest), id);
  }

  #hold(blocks: readonly BlockId[]): void {
    for (const id of blocks) {
      assert(this.#digestOf.has(id), `block ${id} was shared but not registered`);
      this.#cached.delete(id);
      this.#holders[id]! += 1;
    }
  }

  #unregister(id: BlockId): void {
    const digest = this.#digestOf.get(id);
    assert(digest !== undefined, `block ${id} was cached but not registered`);
    this.#digestOf.delete(id);
    this.#blockOf.delete(digest);
  }
}
