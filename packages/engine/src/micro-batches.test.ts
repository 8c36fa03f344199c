import assert from "node:assert/strict";
import { toBlockId } from "@octet/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { HalvesChooser, halveStep, type NumHalves, stepsBetweenTrials } from "./micro-batches.ts";

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

/** How many of the last steps were computed in halves, if either way takes so long a token. */
function run(chooser: HalvesChooser, msPerToken: Record<NumHalves, number>, numSteps: number) {
  let numHalved = 0;
  for (let i = 0; i < numSteps; i++) {
    const numTokens = 16 + (i % 16);
    const numHalves = chooser.choose({ numSequences: 16, numTokens });
    const elapsedMs = numTokens * msPerToken[numHalves];
    chooser.observe({ numTokens, numHalves, elapsedMs });
    numHalved += numHalves - 1;
  }
  return numHalved;
}

test("what takes less time is chosen but for trials, and changes as the times do", () => {
  const chooser = new HalvesChooser(8);
  const trials = 320 / stepsBetweenTrials + 3;
  expect(run(chooser, { 1: 2, 2: 3 }, 320)).toBeLessThanOrEqual(trials);
  // An average forgets by and by, at a trial every so many steps.
  run(chooser, { 1: 3, 2: 2 }, 320);
  expect(run(chooser, { 1: 3, 2: 2 }, 320)).toBeGreaterThanOrEqual(320 - trials);
  run(chooser, { 1: 2, 2: 3 }, 320);
  expect(run(chooser, { 1: 2, 2: 3 }, 320)).toBeLessThanOrEqual(trials);
});

test("sizes are judged apart, and steps of few sequences stay whole", () => {
  const chooser = new HalvesChooser(4);
  for (let i = 0; i < 400; i++) {
    for (const [numTokens, better] of [
      [8, 1],
      [300, 2],
    ] as const) {
      const numHalves = chooser.choose({ numSequences: 8, numTokens });
      chooser.observe({ numTokens, numHalves, elapsedMs: numHalves === better ? 1 : 2 });
    }
  }
  const chosen = (numTokens: number) =>
    Array.from({ length: 31 }, () => chooser.choose({ numSequences: 8, numTokens }));
  expect(chosen(8).filter((numHalves) => numHalves === 1).length).toBeGreaterThanOrEqual(30);
  expect(chosen(300).filter((numHalves) => numHalves === 2).length).toBeGreaterThanOrEqual(30);
  expect(chooser.choose({ numSequences: 3, numTokens: 300 })).toBe(1);
});
