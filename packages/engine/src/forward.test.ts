import assert from "node:assert/strict";
import { toBlockId } from "@octet/core";
import { type StepSequence, selectTopLogits } from "@octet/kernels";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ExpertUseLog } from "./expert-use.ts";
import { ToyAttentionEngine } from "./fixture/toy-attention-engine.ts";
import { ToyExpertClient } from "./fixture/toy-expert-client.ts";
import { toyModel } from "./fixture/toy-model.ts";
import {
  type ForwardContext,
  type ForwardOutcome,
  type ForwardSequence,
  runForward,
} from "./forward.ts";
import { halveStep } from "./micro-batches.ts";

const { vocabSize } = toyModel;

function openContext(): ForwardContext & {
  attention: ToyAttentionEngine;
  experts: ToyExpertClient;
} {
  return {
    attention: new ToyAttentionEngine({ numBlocks: 32, blockSizeTokens: 4 }),
    experts: new ToyExpertClient(),
    expertDeadlineMs: 1000,
    expertRowMs: 1,
    nowMs: () => 0,
    signal: new AbortController().signal,
  };
}

/** Sequence `index` begins at position 0, in four blocks of its own. */
function chunk(index: number, tokenIds: number[], logits: StepSequence["logits"]): ForwardSequence {
  return {
    tokenIds: Int32Array.from(tokenIds),
    startPosition: 0,
    blockTable: [0, 1, 2, 3].map((block) => toBlockId(4 * index + block)),
    logits,
    topLogits: undefined,
    routedExperts: undefined,
    expertUse: new ExpertUseLog(),
  };
}

function allLogits(outcome: ForwardOutcome): Float32Array {
  assert(outcome.kind === "computed");
  const { logits } = outcome;
  // A step that asked for no rows has them in either form.
  assert(logits.kind === "all" || logits.top.logits.length === 0);
  return logits.kind === "all" ? logits.logits : logits.top.logits;
}

test("where all will do with the largest logits, no others are fetched", async () => {
  const asked = (needs: (number | undefined)[]) =>
    needs.map((topLogits, i) => ({ ...chunk(i, [3 + i, 9], "last"), topLogits }));
  const context = openContext();
  const all = await runForward(asked([1, undefined, 3]), context);
  expect(context.attention.topCounts).toEqual([]);
  const some = await runForward(asked([1, 5, 3]), context);
  expect(context.attention.topCounts).toEqual([5]);
  for (const [i, outcome] of some.entries()) {
    assert(outcome.kind === "computed" && outcome.logits.kind === "top");
    const logits = allLogits(all[i]!);
    const expected = selectTopLogits(logits, { count: 5, vocabSize });
    assert.deepEqual(outcome.logits.top, expected);
  }
  const prefill = [{ ...chunk(0, [3, 9], "none"), topLogits: undefined }];
  await runForward(prefill, context);
  expect(context.attention.topCounts).toEqual([5, 1]);
});

test("each sequence gets the rows of logits it asked for, whoever is beside it", async () => {
  const tokens = fc.array(fc.nat({ max: vocabSize - 1 }), { minLength: 1, maxLength: 9 });
  const asked = fc.array(fc.tuple(tokens, fc.constantFrom("none", "last", "all")), {
    minLength: 1,
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(asked, async (all) => {
      const step = all.map(([tokenIds, logits], i) => chunk(i, tokenIds, logits));
      const outcomes = await runForward(step, openContext());
      for (const [i, outcome] of outcomes.entries()) {
        assert(outcome.kind === "computed");
        const [whole] = await runForward([chunk(0, all[i]![0], "all")], openContext());
        assert(whole?.kind === "computed");
        const numRows = { none: 0, last: 1, all: all[i]![0].length }[all[i]![1]];
        const [found, expected] = [allLogits(outcome), allLogits(whole)];
        assert.equal(found.length, numRows * vocabSize);
        assert.deepEqual(found, expected.slice(expected.length - numRows * vocabSize));
      }
    }),
    { numRuns: 30 },
  );
});

test("a row goes to K experts in every layer, each written down for its sequence", async () => {
  const step = [chunk(0, [3, 4, 5], "none"), chunk(1, [6], "last")];
  await runForward(step, openContext());
  for (const { tokenIds, expertUse } of step) {
    expertUse!.settle(tokenIds.length);
    const rows = expertUse!.toList().reduce((sum, use) => sum + use.rows, 0);
    expect(rows).toBe(tokenIds.length * toyModel.numLayers * toyModel.numExpertsPerToken);
  }
});

test("all experts of a layer are asked before any has answered", async () => {
  const context = openContext();
  const underWay = new Map<number, number>();
  context.experts.intercept = ({ layer }) => {
    underWay.set(layer, Math.max(underWay.get(layer) ?? 0, context.experts.numUnderWay));
  };
  await runForward([chunk(0, [3, 4, 5, 6, 7, 8, 9, 10], "last")], context);
  for (let layer = 0; layer < toyModel.numLayers; layer++) {
    expect(underWay.get(layer)).toBe(toyModel.numExperts);
  }
});

test("a step that nobody wants computes nothing and fails all alike", async () => {
  const context = openContext();
  const reason = new Error("nobody is left");
  const step = [chunk(0, [3], "last"), chunk(1, [4], "last")];
  const outcomes = await runForward(step, { ...context, signal: AbortSignal.abort(reason) });
  expect(outcomes).toEqual([
    { kind: "failed", error: reason },
    { kind: "failed", error: reason },
  ]);
  expect(context.experts.numCalls).toBe(0);
});

test("an attention engine that refuses a sequence leaves the others their step", async () => {
  const step = [chunk(0, [3], "last"), chunk(1, [vocabSize], "last"), chunk(2, [4], "last")];
  const outcomes = await runForward(step, openContext());
  expect(outcomes.map((outcome) => outcome.kind)).toEqual(["computed", "failed", "computed"]);
  expect(outcomes[1]).toMatchObject({ error: { name: "KernelError", code: "bad-shape" } });
});

test("every reply's memory is given back once, after it was combined", async () => {
  const context = openContext();
  const [outcome] = await runForward([chunk(0, [3, 1, 4], "last")], context);
  assert(outcome?.kind === "computed");
  expect(allLogits(outcome).every(Number.isFinite)).toBe(true);
  expect(context.experts.numReleased).toBe(context.experts.numCalls);
  expect(context.experts.numCalls).toBeGreaterThan(toyModel.numLayers);
});

test("two halves give the bits of the whole, and their calls are under way together", async () => {
  const tokens = fc.array(fc.nat({ max: vocabSize - 1 }), { minLength: 1, maxLength: 9 });
  const asked = fc.array(fc.tuple(tokens, fc.constantFrom("none", "last", "all")), {
    minLength: 2,
    maxLength: 8,
  });
  let most = 0;
  await fc.assert(
    fc.asyncProperty(asked, async (all) => {
      const step = () => all.map(([tokenIds, logits], i) => chunk(i, tokenIds, logits));
      const context = openContext();
      context.experts.intercept = () => {
        most = Math.max(most, context.experts.numUnderWay);
      };
      const sequences = step();
      const halved = await runForward(sequences, { ...context, parts: halveStep(sequences) });
      const whole = await runForward(step(), openContext());
      assert.deepEqual(halved.map(allLogits), whole.map(allLogits));
      expect(context.attention.stepSequences).toHaveLength(2);
    }),
    { numRuns: 40 },
  );
  expect(most).toBeGreaterThan(toyModel.numExperts);
});

test("what fails in one half is that half's, and is run again as in a whole step", async () => {
  const step = [3, vocabSize, 4, 5].map((tokenId, i) => chunk(i, [tokenId], "last"));
  const outcomes = await runForward(step, { ...openContext(), parts: halveStep(step) });
  const kinds = outcomes.map((outcome) => outcome.kind);
  expect(kinds).toEqual(["computed", "failed", "computed", "computed"]);
});
