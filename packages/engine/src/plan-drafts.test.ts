import assert from "node:assert/strict";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SimulatedSequence } from "./fixture/simulated-sequence.ts";
import { planDrafts } from "./plan-drafts.ts";

/** A sequence that decodes, or has yet to compute its prompt. */
function sequenceOf({ id, drafts, decodes }: { id: number; drafts: number; decodes: boolean }) {
  const sequence = new SimulatedSequence({
    ...{ id, promptTokens: 2, answerTokens: 40, blockSizeTokens: 4 },
    draftTokens: drafts,
  });
  if (decodes) sequence.advance({ numTokens: 2, numDrafts: 0 });
  return sequence;
}

const parts = fc.array(
  fc.record({
    drafts: fc.nat({ max: 9 }),
    odds: fc.constantFrom(0, 0.05, 0.2, 0.5, 0.9, 1),
    decodes: fc.boolean(),
    prefill: fc.nat({ max: 9 }),
  }),
  { maxLength: 9 },
);
const rowsMax = fc.integer({ min: 1, max: 40 });

function planOf(shapes: typeof parts extends fc.Arbitrary<infer Shapes> ? Shapes : never) {
  return shapes.map(({ drafts, decodes, prefill }, id) => ({
    sequence: sequenceOf({ id, drafts, decodes }),
    numTokens: decodes ? 1 : 1 + prefill,
  }));
}

const sumOf = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);

test("where rows cost nothing, guesses spend what are left, evenly, on decodes that have some", () => {
  fc.assert(
    fc.property(parts, rowsMax, (shapes, most) => {
      const plan = planOf(shapes);
      const chunks = planDrafts(plan, {
        rowsMax: most,
        costOf: () => 1,
        offerOf: (sequence, countMax) => sequence.draft(countMax),
      });
      assert.deepEqual(
        chunks.map(({ sequence, numTokens }) => ({ sequence, numTokens })),
        plan,
      );
      const numRows = sumOf(plan.map(({ numTokens }) => numTokens));
      const wanted = shapes.map(({ drafts, decodes }) => (decodes ? drafts : 0));
      const granted = chunks.map(({ numDrafts }) => numDrafts);
      assert.equal(sumOf(granted), Math.min(sumOf(wanted), Math.max(0, most - numRows)));
      granted.forEach((count, i) => {
        assert(count <= wanted[i]!);
        // Whoever got fewer than wanted got at most one fewer than anybody else.
        if (count < wanted[i]!) assert(Math.max(...granted) - count <= 1);
      });
    }),
  );
});

test("no other guesses would give more tokens for a step's time", () => {
  const costs = fc.array(fc.double({ min: 0.1, max: 9, noNaN: true }), {
    minLength: 101,
    maxLength: 101,
  });
  fc.assert(
    fc.property(parts, rowsMax, costs, (shapes, most, increments) => {
      const plan = planOf(shapes);
      const costOf = (numRows: number) => sumOf(increments.slice(0, numRows + 1));
      const chunks = planDrafts(plan, {
        rowsMax: most,
        costOf,
        offerOf: ({ id }) => ({ numTokens: shapes[id]!.drafts, odds: shapes[id]!.odds }),
      });
      // The likeliest so many, whoever's they are, for every number that there may be.
      const likeliest = shapes
        .filter(({ decodes }) => decodes)
        .flatMap(({ drafts, odds }) => Array.from({ length: drafts }, (_, i) => odds ** (i + 1)))
        .filter((odds) => odds >= 0.1)
        .sort((a, b) => b - a);
      const numRows = sumOf(plan.map(({ numTokens }) => numTokens));
      const numTokens = plan.filter((c) => c.numTokens === c.sequence.pendingTokens).length;
      const speeds = Array.from(
        { length: Math.min(likeliest.length, Math.max(0, most - numRows)) + 1 },
        (_, count) => (numTokens + sumOf(likeliest.slice(0, count))) / costOf(numRows + count),
      );
      const numDrafts = sumOf(chunks.map((chunk) => chunk.numDrafts));
      assert(numDrafts < speeds.length);
      assert(speeds[numDrafts]! >= Math.max(...speeds) * (1 - 1e-9));
      const odds = chunks.flatMap((chunk, i) =>
        Array.from({ length: chunk.numDrafts }, (_, depth) => shapes[i]!.odds ** (depth + 1)),
      );
      assert(Math.abs(sumOf(odds) - sumOf(likeliest.slice(0, numDrafts))) < 1e-9);
    }),
    { numRuns: 300 },
  );
});

test("while a step's time is not known, or it has no room, nothing is guessed", () => {
  const plan = [{ sequence: sequenceOf({ id: 0, drafts: 8, decodes: true }), numTokens: 1 }];
  const offerOf = () => ({ numTokens: 8, odds: 1 });
  const unknown = planDrafts(plan, { rowsMax: 9, costOf: () => undefined, offerOf });
  expect(unknown).toEqual([{ ...plan[0], numDrafts: 0 }]);
  const full = { rowsMax: 1, costOf: () => 1, offerOf: () => assert.fail("asked") };
  expect(planDrafts(plan, full)).toEqual([{ ...plan[0], numDrafts: 0 }]);
});
