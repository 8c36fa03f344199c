// Random loads on random pools: nobody starves, nothing leaks, and shares are fair.
import assert from "node:assert/strict";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Admission, type AdmissionLimits } from "./admission.ts";
import { EngineError } from "./engine-error.ts";
import { SimulatedSequence } from "./fixture/simulated-sequence.ts";
import { KvBlockPool } from "./kv-block-pool.ts";
import { byUrgency } from "./schedulable.ts";

const blockSizeTokens = 4;

const load = fc.record({
  numBlocks: fc.integer({ min: 10, max: 24 }),
  limits: fc.record({
    activeSequencesMax: fc.integer({ min: 1, max: 8 }),
    queuedSequencesMax: fc.constant(100),
    queueWaitMs: fc.constant(1_000_000),
    stepTokensMax: fc.integer({ min: 8, max: 40 }),
    draftedRowsMax: fc.integer({ min: 1, max: 50 }),
  }),
  requests: fc.array(
    fc.record({
      atStep: fc.nat({ max: 30 }),
      promptTokens: fc.integer({ min: 1, max: 24 }),
      answerTokens: fc.integer({ min: 1, max: 17 }),
      clientId: fc.constantFrom("a", "b", "c"),
      priority: fc.constantFrom(0, 0, 0, 1),
      text: fc.option(fc.nat({ max: 2 }), { nil: undefined }),
      draftTokens: fc.nat({ max: 8 }),
      rightDrafts: fc.nat({ max: 8 }),
      cancelAtStep: fc.option(fc.nat({ max: 60 }), { nil: undefined }),
      deadlineAtStep: fc.option(fc.nat({ max: 60 }), { freq: 2, nil: undefined }),
    }),
    { minLength: 1, maxLength: 14 },
  ),
  loseAtStep: fc.option(fc.nat({ max: 40 }), { nil: undefined }),
});

/** What a test wants to see of a step before it is computed. */
type Watch = (
  admission: Admission<SimulatedSequence>,
  planned: Map<SimulatedSequence, number>,
  nowMs: number,
) => void;

const stepMs = 10;

function run(
  {
    numBlocks,
    limits,
    requests,
    loseAtStep,
  }: typeof load extends fc.Arbitrary<infer L> ? L : never,
  watch: Watch = () => {},
) {
  const pool = new KvBlockPool({ numBlocks, blockSizeTokens });
  const admission = new Admission<SimulatedSequence>(pool, limits);
  const sequences = requests
    .toSorted((a, b) => a.atStep - b.atStep)
    .map(({ text, ...request }, id) => ({
      ...request,
      sequence: new SimulatedSequence({
        ...request,
        id,
        submittedMs: request.atStep * stepMs,
        deadlineMs: (request.deadlineAtStep ?? Number.POSITIVE_INFINITY) * stepMs,
        blockSizeTokens,
        ...(text === undefined ? {} : { text }),
      }),
    }));
  let numSteps = 0;
  for (; sequences.some(({ sequence }) => !sequence.isEnded); numSteps++) {
    assert(numSteps < 2000, "somebody starves");
    const nowMs = numSteps * stepMs;
    for (const { atStep, cancelAtStep, sequence } of sequences) {
      if (atStep === numSteps) submit(admission, sequence);
      if (cancelAtStep === numSteps && atStep <= numSteps) sequence.cancel();
    }
    if (loseAtStep === numSteps) admission.loseCaches();
    admission.update(nowMs);
    const plan = admission.plan(() => 1);
    const total = plan.reduce((sum, { numTokens }) => sum + numTokens, 0);
    const numDrafts = plan.reduce((sum, chunk) => sum + chunk.numDrafts, 0);
    assert(total + numDrafts <= limits.stepTokensMax);
    assert(numDrafts === 0 || total + numDrafts <= limits.draftedRowsMax);
    const shares = plan.map(({ sequence, numTokens }) => [sequence, numTokens] as const);
    watch(admission, new Map(shares), nowMs);
    for (const chunk of plan) {
      const { sequence, numTokens, numDrafts } = chunk;
      const numPositions = sequence.cachedTokens + numTokens + numDrafts;
      assert(sequence.blocks.length * blockSizeTokens >= numPositions);
      assert(numPositions <= sequence.reservedTokens);
      assert(numDrafts === 0 || sequence.phase === "decode");
      sequence.advance(chunk);
      admission.settle(sequence);
    }
    admission.update(nowMs);
    admission.checkIntegrity();
  }
  admission.update(numSteps * stepMs);
  admission.checkIntegrity();
  assert.equal(pool.numFree + pool.numCached, numBlocks);
  return { admission, sequences };
}

/** The queue is never full: whoever is refused came too late. */
function submit(admission: Admission<SimulatedSequence>, sequence: SimulatedSequence): void {
  try {
    admission.submit(sequence);
  } catch (error) {
    assert(error instanceof EngineError && error.code === "deadline-exceeded");
    assert(sequence.submittedMs >= sequence.deadlineMs);
    sequence.fail(error);
  }
}

test("whatever comes, goes and is lost, all end, and every block comes back", () => {
  let numPreemptions = 0;
  fc.assert(
    fc.property(load, (given) => {
      numPreemptions += run(given).admission.numPreemptions;
    }),
    { numRuns: 300 },
  );
  expect(numPreemptions).toBeGreaterThan(20);
});

test("every step computes something while somebody wants it, and every decode is in it", () => {
  fc.assert(
    fc.property(load, (given) => {
      run(given, (admission, planned) => {
        const wanted = [...admission.active, ...admission.waiting];
        assert(planned.size > 0 || wanted.length === 0);
        for (const sequence of admission.active) {
          if (sequence.phase === "decode") assert(planned.has(sequence));
        }
      });
    }),
    { numRuns: 150 },
  );
});

test("a deadline is a cancel at that very moment, and nothing is computed past it", () => {
  let numLate = 0;
  fc.assert(
    fc.property(load, (given) => {
      /** Who computed how much in each step, and who ended how. */
      const traceOf = (requests: (typeof given)["requests"]) => {
        const trace: unknown[] = [];
        const { sequences } = run({ ...given, requests }, (_, planned, nowMs) => {
          for (const [{ deadlineMs }] of planned) assert(nowMs < deadlineMs);
          trace.push(Array.from(planned, ([{ id }, numTokens]) => [id, numTokens]));
        });
        for (const { sequence } of sequences) {
          assert(!sequence.isNew || sequence.computedTokens === 0);
          if (sequence.error !== undefined) numLate += 1;
        }
        return [trace, sequences.map(({ sequence }) => sequence.computedTokens)];
      };
      const cancelled = given.requests.map((request) => {
        const { atStep, cancelAtStep = 1e9, deadlineAtStep = 1e9 } = request;
        // A cancel before it comes is none.
        const cancels = [cancelAtStep < atStep ? 1e9 : cancelAtStep, deadlineAtStep];
        const at = Math.max(atStep, Math.min(...cancels));
        return { ...request, deadlineAtStep: undefined, cancelAtStep: at };
      });
      assert.deepEqual(traceOf(given.requests), traceOf(cancelled));
    }),
    { numRuns: 200 },
  );
  expect(numLate).toBeGreaterThan(50);
});

test("the most urgent never gives way, and computes no token twice but for a lost device", () => {
  fc.assert(
    fc.property(load, (given) => {
      const { sequences } = run({ ...given, loseAtStep: undefined });
      const first = sequences.map(({ sequence }) => sequence).toSorted(byUrgency)[0]!;
      assert(first.computedTokens <= first.reservedTokens);
    }),
    { numRuns: 200 },
  );
});

/** Steps until both clients have had many, each with more waiting all along. */
function serveTwo(limits: AdmissionLimits, tokensOf: readonly [number, number]) {
  const pool = new KvBlockPool({ numBlocks: 200, blockSizeTokens });
  const admission = new Admission<SimulatedSequence>(pool, limits);
  const all: SimulatedSequence[] = [];
  const submit = (client: number) => {
    const promptTokens = tokensOf[client]!;
    const request = { id: all.length, promptTokens, answerTokens: 4, clientId: `${client}` };
    const sequence = new SimulatedSequence({ ...request, blockSizeTokens });
    all.push(sequence);
    admission.submit(sequence);
  };
  const computed = [0, 0];
  for (let step = 0; step < 400; step++) {
    for (const client of [0, 1]) {
      const waiting = admission.waiting.filter(({ clientId }) => clientId === `${client}`);
      for (let i = waiting.length; i < 8; i++) submit(client);
    }
    admission.update(0);
    for (const chunk of admission.plan(() => 1)) {
      const { sequence, numTokens } = chunk;
      sequence.advance(chunk);
      computed[Number(sequence.clientId)]! += numTokens;
      admission.settle(sequence);
    }
    admission.update(0);
  }
  return computed as [number, number];
}

test("two clients who always want more get as many tokens, whatever they ask for at a time", () => {
  const tokens = fc.integer({ min: 1, max: 60 });
  fc.assert(
    fc.property(tokens, tokens, fc.integer({ min: 1, max: 6 }), (a, b, activeSequencesMax) => {
      const limits = {
        activeSequencesMax,
        queuedSequencesMax: 20,
        queueWaitMs: 1e9,
        stepTokensMax: 32,
        draftedRowsMax: 32,
      };
      const [first, second] = serveTwo(limits, [a, b]);
      // What is charged before it is computed, or under way: a batch of the larger requests.
      assert(Math.abs(first - second) <= (activeSequencesMax + 1) * (Math.max(a, b) + 4));
    }),
    { numRuns: 40 },
  );
});
