import assert from "node:assert/strict";
import type { BlockId } from "@octet/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { KvBlockPool } from "./kv-block-pool.ts";

const numBlocks = 16;

test("the pool never loses or duplicates a block, and grants all or nothing", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -9, max: 9 })), (steps) => {
      const pool = new KvBlockPool({ numBlocks, blockSizeTokens: 4 });
      const held: BlockId[] = [];
      for (const step of steps) {
        if (step < 0) pool.release(held.splice(0, -step));
        else {
          const numFree = pool.numFree;
          const granted = pool.allocate(step);
          assert.equal(granted?.length, step <= numFree ? step : undefined);
          held.push(...(granted ?? []));
        }
        pool.checkIntegrity();
        assert.equal(pool.numFree + held.length, numBlocks);
        assert.equal(new Set(held).size, held.length);
      }
    }),
  );
});

test("a block released twice is a bug, not a second block", () => {
  const pool = new KvBlockPool({ numBlocks, blockSizeTokens: 4 });
  const held = pool.allocate(2)!;
  pool.release(held);
  expect(() => pool.release(held)).toThrow(/released but not held/);
});

test("a sequence needs a block for its first token and one more after each full block", () => {
  const pool = new KvBlockPool({ numBlocks, blockSizeTokens: 4 });
  expect([0, 1, 4, 5, 8, 9].map((n) => pool.blocksFor(n))).toEqual([0, 1, 1, 2, 2, 3]);
  expect(pool.capacityTokens).toBe(64);
});
