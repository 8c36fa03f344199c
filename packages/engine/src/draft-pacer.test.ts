import fc from "fast-check";
import { expect, test } from "vitest";
import { DraftPacer, restStepsMax } from "./draft-pacer.ts";

/** Lets a pacer guess a text of which `right` says how many tokens of each guess are right. */
function run(pacer: DraftPacer, numSteps: number, right: (step: number) => number) {
  let numDrafts = 0;
  let numTokens = 0;
  for (let step = 0; step < numSteps; step++) {
    const drafts = pacer.length;
    const numAccepted = Math.min(drafts, right(step));
    pacer.observe({ numDrafts: drafts, numAccepted });
    numDrafts += drafts;
    numTokens += 1 + numAccepted;
  }
  return { numDrafts, numTokens };
}

test("of a text that repeats itself, guesses are soon as long as they may be", () => {
  const pacer = new DraftPacer(8);
  run(pacer, 2, () => 8);
  expect(pacer.length).toBe(8);
  const { numTokens } = run(pacer, 10, () => 8);
  expect(numTokens).toBe(90);
});

test("of a text that does not, few tokens are guessed in vain", () => {
  const { numDrafts } = run(new DraftPacer(8), 1000, () => 0);
  expect(numDrafts).toBeLessThan(50);
});

test("what is right of guesses is what the next one is cut to, and a little more", () => {
  const pacer = new DraftPacer(8);
  run(pacer, 3, () => 2);
  expect(pacer.length).toBe(3);
});

test("a failure rests longest; a text that begins to repeat itself is noticed after a rest", () => {
  const pacer = new DraftPacer(8);
  pacer.restLong();
  expect(run(pacer, restStepsMax, () => 8).numDrafts).toBe(0);
  expect(pacer.length).toBeGreaterThan(0);
  run(pacer, 500, () => 0);
  const { numTokens } = run(pacer, 2 * restStepsMax, () => 8);
  expect(numTokens).toBeGreaterThan(4 * restStepsMax);
});

test("whatever happens, a guess has no more tokens than it may, and no rest is for ever", () => {
  const outcomes = fc.array(fc.nat({ max: 12 }), { maxLength: 100 });
  fc.assert(
    fc.property(outcomes, fc.integer({ min: 1, max: 12 }), (rights, lengthMax) => {
      const pacer = new DraftPacer(lengthMax);
      let restSteps = 0;
      for (const right of rights) {
        expect(pacer.length).toBeLessThanOrEqual(lengthMax);
        restSteps = pacer.length === 0 ? restSteps + 1 : 0;
        expect(restSteps).toBeLessThanOrEqual(restStepsMax);
        pacer.observe({ numDrafts: pacer.length, numAccepted: Math.min(pacer.length, right) });
      }
    }),
  );
});
