// A position's bits depend on the tokens it may see, and on nothing else.
import assert from "node:assert/strict";
import { type AttentionRules, fixturePool } from "./attention-fixture.ts";
import { assertSameBits } from "./compare.ts";
import { type PlannedSequence, part, planSequences } from "./planned-sequence.ts";

const length = 41;

export const positionRules: AttentionRules = {
  "chunked prefill and cached decode give the bits of a whole prefill": async (fixture) => {
    const sequence = plannedSequence(fixture);
    const [whole] = await fixture.runSteps([[part(sequence)]]);
    for (const chunk of [1, 2, 7, 16, 17, 32]) {
      const chunks = [];
      for (let first = 0; first < length; first += chunk) {
        chunks.push([part(sequence, "all", { first, end: Math.min(first + chunk, length) })]);
      }
      const traces = await fixture.runSteps(chunks);
      const logits = traces.flatMap((trace) => [...trace.logits]);
      assertSameBits(Float32Array.from(logits), whole!.logits, `chunks of ${chunk}`);
    }
  },

  "asking for other logits changes no bit of those asked for": async (fixture) => {
    const sequences = planSequences(fixture.model, { ...plan, lengths: [4, 3, 5] });
    const [whole] = await fixture.runSteps([sequences.map((sequence) => part(sequence))]);
    const wanted = ["last", "none", "all"] as const;
    const [some] = await fixture.runSteps([
      sequences.map((sequence, index) => part(sequence, wanted[index])),
    ]);
    const V = fixture.model.vocabSize;
    const row = (index: number) => whole!.logits.subarray(index * V, (index + 1) * V);
    const expected = [3, 7, 8, 9, 10, 11].flatMap((index) => [...row(index)]);
    assertSameBits(some!.logits, Float32Array.from(expected), "last, none, all");
    const [none] = await fixture.runSteps([sequences.map((sequence) => part(sequence, "none"))]);
    assert.equal(none!.logits.length, 0);
  },

  "a token changes no bit of the positions before it, and some at its own": async (fixture) => {
    const sequence = plannedSequence(fixture);
    const [before] = await fixture.runSteps([[part(sequence)]]);
    for (const position of [1, 15, 16, length - 1]) {
      const [after] = await fixture.runSteps([[part(withOtherToken(sequence, position))]]);
      const start = position * fixture.model.vocabSize;
      assertSameBits(
        after!.logits.subarray(0, start),
        before!.logits.subarray(0, start),
        `positions before ${position}`,
      );
      assert(after!.logits[start] !== before!.logits[start], `position ${position} sees itself`);
    }
  },

  "a layer sees the whole window and nothing beyond it": async (fixture) => {
    const { model } = fixture;
    const sequence = plannedSequence(fixture);
    const window = model.slidingWindow ?? length;
    const last = length - 1;
    // What layer 1 receives at a position has passed through one attention: layer 0's.
    const lastKey = async (changed: PlannedSequence) => {
      const [trace] = await fixture.runSteps([[part(changed, "none")]]);
      const { batches } = trace!.dispatches[0]!;
      return batches
        .filter(({ tokenIndex }) => tokenIndex.at(-1) === last)
        .map(
          ({ expertId, input }) =>
            `${expertId}: ${input.data.subarray(-input.data.length / input.rows).join()}`,
        )
        .join("\n");
    };
    const unchanged = await lastKey(sequence);
    const oldest = Math.max(0, last - window + 1);
    for (const position of oldest === 0 ? [] : [0, oldest - 2, oldest - 1]) {
      const key = await lastKey(withOtherToken(sequence, position));
      assert.equal(key, unchanged, `${position} is outside the window of ${last}`);
    }
    for (const position of [oldest, oldest + 1, last - 1]) {
      const key = await lastKey(withOtherToken(sequence, position));
      assert.notEqual(key, unchanged, `${position} is inside the window of ${last}`);
    }
  },
};

const plan = { lengths: [length], blockSizeTokens: fixturePool.blockSizeTokens, seed: 12 };

function plannedSequence({ model }: { model: Parameters<typeof planSequences>[0] }) {
  return planSequences(model, plan)[0]!;
}

function withOtherToken(sequence: PlannedSequence, position: number): PlannedSequence {
  const tokenIds = sequence.tokenIds.slice();
  tokenIds[position] = tokenIds[position] === 0 ? 1 : 0;
  return { ...sequence, tokenIds };
}
