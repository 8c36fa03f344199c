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
  fc.record({ drafts: fc.nat({ max: 9 }), decodes: fc.boolean(), prefill: fc.nat({ max: 9 }) }),
  { maxLength: 9 },
);

test("guesses spend what rows are left, evenly, on decodes that have some", () => {
  fc.assert(
    fc.property(parts, fc.integer({ min: 1, max: 40 }), (shapes, rowsMax) => {
      const plan = shapes.map(({ drafts, decodes, prefill }, id) => ({
        sequence: sequenceOf({ id, drafts, decodes }),
        numTokens: decodes ? 1 : 1 + prefill,
      }));
      const chunks = planDrafts(plan, rowsMax, (sequence, most) => sequence.draft(most));
      assert.deepEqual(
        chunks.map(({ sequence, numTokens }) => ({ sequence, numTokens })),
        plan,
      );
      const numRows = plan.reduce((sum, { numTokens }) => sum + numTokens, 0);
      const wanted = shapes.map(({ drafts, decodes }) => (decodes ? drafts : 0));
      const sumOf = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
      const granted = chunks.map(({ numDrafts }) => numDrafts);
      assert.equal(sumOf(granted), Math.min(sumOf(wanted), Math.max(0, rowsMax - numRows)));
      granted.forEach((count, i) => {
        assert(count <= wanted[i]!);
        // Whoever got fewer than wanted got at most one fewer than anybody else.
        if (count < wanted[i]!) assert(Math.max(...granted) - count <= 1);
      });
    }),
  );
});

test("nobody is asked for guesses in a step that has no room for any", () => {
  const plan = [{ sequence: sequenceOf({ id: 0, drafts: 8, decodes: true }), numTokens: 1 }];
  const ask = () => assert.fail("asked");
  expect(planDrafts(plan, 1, ask)).toEqual([{ ...plan[0], numDrafts: 0 }]);
});
