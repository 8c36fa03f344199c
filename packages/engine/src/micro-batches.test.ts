import assert from "node:assert/strict";
import { toBlockId } from "@octet/core";
import fc from "fast-check";
import { test } from "vitest";
import { halveStep } from "./micro-batches.ts";

test("halves are all of the step, in order, families together, as even as those allow", () => {
  const sequence = fc.record({
    numTokens: fc.integer({ min: 1, max: 30 }),
    firstBlock: fc.nat({ max: 9 }),
  });
  fc.assert(
    fc.property(fc.array(sequence, { minLength: 1, maxLength: 12 }), (shapes) => {
      const step = shapes.map(({ numTokens, firstBlock }) => ({
        tokenIds: new Int32Array(numTokens),
        startPosition: 0,
        blockTable: [toBlockId(firstBlock)],
        logits: "last" as const,
      }));
      const halves = halveStep(step);
      const families = new Map<number, number>();
      for (const { numTokens, firstBlock } of shapes) {
        families.set(firstBlock, (families.get(firstBlock) ?? 0) + numTokens);
      }
      assert.equal(halves.length, Math.min(2, families.size));
      assert.deepEqual(new Set(halves.flat()), new Set(step));
      assert.equal(halves.flat().length, step.length);
      for (const half of halves) {
        const places = half.map((one) => step.indexOf(one));
        assert.deepEqual(
          places,
          places.toSorted((a, b) => a - b),
        );
      }
      const blocks = halves.map((half) => new Set(half.map(({ blockTable }) => blockTable[0])));
      if (blocks.length === 2) assert(blocks[0]!.isDisjointFrom(blocks[1]!));
      const [a = 0, b = 0] = halves.map((half) =>
        half.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0),
      );
      assert(Math.abs(a - b) <= Math.max(...families.values()));
    }),
  );
});
