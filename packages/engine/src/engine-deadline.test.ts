// Deadlines by the engine's own clock: no timer and no signal takes part.
import fc from "fast-check";
import { expect, test } from "vitest";
import { ChoiceConstraint } from "./fixture/choice-constraint.ts";
import {
  generate,
  generateAlone,
  letterDecoder,
  openToyEngine,
  toyRequests,
  unheldBlocks,
} from "./fixture/toy-engine.ts";

test("wherever deadlines fall, what came before them is right, and nobody else notices", async () => {
  const requests = toyRequests(6);
  const alone = await generateAlone(requests);
  const deadlines = fc.array(fc.option(fc.integer({ min: 1, max: 400 }), { nil: undefined }), {
    minLength: 6,
    maxLength: 6,
  });
  let numLate = 0;
  await fc.assert(
    fc.asyncProperty(deadlines, fc.constantFrom(14, 40, 200), async (deadlinesMs, numBlocks) => {
      let nowMs = 0;
      const { engine } = openToyEngine({
        numBlocks,
        nowMs: () => nowMs,
        intercept: async () => {
          nowMs += 1;
        },
      });
      const answers = await Promise.all(
        requests.map((request, i) => generate(engine, { ...request, deadlineMs: deadlinesMs[i] })),
      );
      answers.forEach(({ error, finished, tokenIds }, i) => {
        expect(alone[i]!.tokenIds.slice(0, tokenIds.length)).toEqual(tokenIds);
        if (finished !== undefined) expect(tokenIds).toEqual(alone[i]!.tokenIds);
        else {
          expect(error).toMatchObject({ code: "deadline-exceeded" });
          expect(deadlinesMs[i]).toBeDefined();
          numLate += 1;
        }
      });
      await engine.drain();
      engine.checkIntegrity();
      expect(unheldBlocks(engine)).toBe(numBlocks);
    }),
    { numRuns: 30 },
  );
  expect(numLate).toBeGreaterThan(10);
});

test("several answers to one prompt end together, those that have not begun too", async () => {
  let nowMs = 0;
  const { engine } = openToyEngine({
    nowMs: () => nowMs,
    intercept: async () => {
      nowMs += 1;
    },
  });
  const request = {
    ...toyRequests(3)[2]!,
    moreAnswers: [1, 2].map(() => ({ decoder: letterDecoder() })),
  };
  const whole = await generate(engine, request);
  expect(whole.events.filter(({ kind }) => kind === "finished")).toHaveLength(3);
  const neededMs = nowMs;
  for (const afterMs of [1, neededMs / 4, neededMs / 2]) {
    const late = await generate(engine, { ...request, deadlineMs: nowMs + afterMs });
    expect(late.error).toMatchObject({ code: "deadline-exceeded" });
    expect(engine.load()).toMatchObject({ activeSequences: 0, queuedSequences: 0 });
  }
  engine.checkIntegrity();
});

test("a request that comes past its deadline is refused, and costs nothing", () => {
  const { engine, experts } = openToyEngine({ nowMs: () => 50 });
  const late = { promptTokenIds: [3], decoder: letterDecoder(), deadlineMs: 50 };
  expect(() => engine.generate(late)).toThrow(
    expect.objectContaining({ code: "deadline-exceeded" }),
  );
  expect(experts.numUnderWay).toBe(0);
  expect(engine.load().queuedSequences).toBe(0);
});

test("what a constraint says past the deadline matters no more, be it a failure", async () => {
  for (const outcome of ["mask", "failure"]) {
    let nowMs = 0;
    const { engine } = openToyEngine({ nowMs: () => nowMs });
    const { promise: late, resolve, reject } = Promise.withResolvers<void>();
    const answer = generate(engine, {
      promptTokenIds: [3, 8],
      deadlineMs: 100,
      openConstraint: () => new ChoiceConstraint([[8, 1]], () => late),
    });
    await generate(engine, toyRequests(1)[0]!);
    nowMs = 100;
    if (outcome === "mask") resolve();
    else reject(new Error("no more of this"));
    const { error, tokenIds } = await answer;
    expect(error).toMatchObject({ code: "deadline-exceeded" });
    expect(tokenIds).toEqual([]);
  }
});
