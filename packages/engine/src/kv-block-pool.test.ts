import assert from "node:assert/strict";
import type { BlockId } from "@octet/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { KvBlockPool } from "./kv-block-pool.ts";
import { PrefixChain } from "./prefix-chain.ts";

const numBlocks = 16;
const openPool = () => new KvBlockPool({ numBlocks, blockSizeTokens: 4 });

const chain = new PrefixChain({ kind: "salt", salt: "" }, 1);
const tokenIds = Array.from({ length: 12 }, (_, i) => i);
const digestOf = (key: number) => chain.digestOf(key, tokenIds);

/** The pool as one would write it without counting: lists alone. */
class ListPool {
  free = numBlocks;
  /** Least recently used first. */
  cached: number[] = [];
  /** Of each holder: what its blocks are registered under, if they are. */
  holders: (number | undefined)[][] = [];

  isRegistered(key: number): boolean {
    return this.cached.includes(key) || this.isHeld(key);
  }

  isHeld(key: number): boolean {
    return this.holders.some((blocks) => blocks.includes(key));
  }

  grant(prefix: readonly number[], count: number): boolean {
    const kept = this.cached.filter((key) => !prefix.includes(key));
    if (count > this.free + kept.length) {
      // Looked at, so used: they go to the end.
      this.cached = [...kept, ...prefix.filter((key) => !this.isHeld(key)).toReversed()];
      return false;
    }
    const evicted = Math.max(0, count - this.free);
    this.free -= count - evicted;
    this.cached = kept.slice(evicted);
    this.holders.push([...prefix, ...Array.from({ length: count }, () => undefined)]);
    return true;
  }

  release(index: number): void {
    const [blocks] = this.holders.splice(index, 1);
    for (const key of blocks!.toReversed()) {
      if (key === undefined) this.free += 1;
      else if (!this.isHeld(key)) this.cached.push(key);
    }
  }

  forget(): void {
    this.free += this.cached.length;
    this.cached = [];
  }
}

const step = fc.oneof(
  fc.record({
    kind: fc.constant("grant" as const),
    prefix: fc.uniqueArray(fc.nat({ max: 11 }), { maxLength: 4 }),
    count: fc.nat({ max: 9 }),
  }),
  fc.record({ kind: fc.constant("release" as const), holder: fc.nat() }),
  fc.record({
    kind: fc.constant("register" as const),
    holder: fc.nat(),
    block: fc.nat(),
    key: fc.nat({ max: 11 }),
  }),
);

test("the pool grants, caches and evicts as lists would, and never loses a block", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const pool = openPool();
      const twin = new ListPool();
      const held: BlockId[][] = [];
      for (const action of steps) {
        if (action.kind === "grant") {
          const prefix = action.prefix.filter((key) => twin.isRegistered(key));
          const found = prefix.map((key) => pool.find(digestOf(key))!);
          const granted = pool.grant(found, action.count);
          assert.equal(granted !== undefined, twin.grant(prefix, action.count));
          if (granted !== undefined) {
            assert.deepEqual(granted.slice(0, found.length), found);
            assert.equal(granted.length, found.length + action.count);
            held.push(granted);
          }
        } else if (held.length > 0) {
          const index = action.holder % held.length;
          const blocks = held[index]!;
          if (action.kind === "release") {
            pool.release(blocks);
            held.splice(index, 1);
            twin.release(index);
          } else if (blocks.length > 0) {
            const block = action.block % blocks.length;
            pool.register(blocks[block]!, digestOf(action.key));
            const isNew = twin.holders[index]![block] === undefined;
            if (isNew && !twin.isRegistered(action.key)) twin.holders[index]![block] = action.key;
          }
        }
        pool.checkIntegrity(held.flat());
        assert.equal(pool.numFree, twin.free);
        assert.equal(pool.numCached, twin.cached.length);
        for (const key of tokenIds) {
          assert.equal(pool.find(digestOf(key)) !== undefined, twin.isRegistered(key), `${key}`);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("blocks whose content is gone are found no more, and are free once nobody holds them", () => {
  const pool = openPool();
  const [first, second] = [pool.allocate(2)!, pool.allocate(3)!];
  pool.register(first[0]!, digestOf(0));
  pool.register(second[0]!, digestOf(1));
  pool.release(first);
  expect([pool.numFree, pool.numCached]).toEqual([12, 1]);
  pool.forgetPrefixes();
  expect([pool.numFree, pool.numCached]).toEqual([13, 0]);
  expect([0, 1].map((key) => pool.find(digestOf(key)))).toEqual([undefined, undefined]);
  pool.release(second);
  expect(pool.numFree).toBe(numBlocks);
  pool.checkIntegrity([]);
});

test("a prefix is evicted from its end, the longest unused first", () => {
  const pool = openPool();
  const [old, young] = [pool.allocate(3)!, pool.allocate(3)!];
  old.forEach((block, i) => {
    pool.register(block, digestOf(i));
  });
  young.forEach((block, i) => {
    pool.register(block, digestOf(3 + i));
  });
  pool.release(old);
  pool.release(young);
  const found = () => tokenIds.filter((key) => pool.find(digestOf(key)) !== undefined);
  pool.allocate(10);
  expect(found()).toEqual([0, 1, 2, 3, 4, 5]);
  pool.allocate(1);
  expect(found()).toEqual([0, 1, 3, 4, 5]);
  pool.allocate(3);
  expect(found()).toEqual([3, 4]);
});

test("a prefix that is asked for is not evicted to make room for its own rest", () => {
  const pool = openPool();
  const blocks = pool.allocate(2)!;
  blocks.forEach((block, i) => {
    pool.register(block, digestOf(i));
  });
  pool.release(blocks);
  expect(pool.grant(blocks, 15)).toBeUndefined();
  pool.checkIntegrity([]);
  const granted = pool.grant(blocks, 14);
  expect(granted?.slice(0, 2)).toEqual(blocks);
  expect(new Set(granted).size).toBe(16);
});

test("a block released twice is a bug, not a second block", () => {
  const pool = openPool();
  const held = pool.allocate(2)!;
  pool.release(held);
  expect(() => pool.release(held)).toThrow(/released but not held/);
});

test("a sequence needs a block for its first token and one more after each full block", () => {
  const pool = openPool();
  expect([0, 1, 4, 5, 8, 9].map((n) => pool.blocksFor(n))).toEqual([0, 1, 1, 2, 2, 3]);
  expect(pool.capacityTokens).toBe(64);
});
