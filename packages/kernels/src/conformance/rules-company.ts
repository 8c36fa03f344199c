// A sequence's bits do not depend on what is computed beside it, nor where, nor by how many.
import { toBlockId } from "@octet/core";
import type { StepSequence } from "../attention-engine.ts";
import { type AttentionFixture, type AttentionRules, fixturePool } from "./attention-fixture.ts";
import { assertSameBits } from "./compare.ts";
import { type PlannedSequence, part, planSequences } from "./planned-sequence.ts";
import { runStep } from "./run-step.ts";

const lengths = [1, 5, 17, 34];

export const companyRules: AttentionRules = {
  "a sequence's bits do not depend on the sequences beside it": async (fixture) => {
    const sequences = planned(fixture);
    const together = sequences.map((sequence) => part(sequence));
    const [first, second] = await fixture.runSteps([
      together.map(withoutLastToken).filter(({ tokenIds }) => tokenIds.length > 0),
      together.map(lastToken),
    ]);
    const V = fixture.model.vocabSize;
    let prefillRow = 0;
    for (const [index, sequence] of together.entries()) {
      const numPrefill = sequence.tokenIds.length - 1;
      const alone = await fixture.runSteps([
        ...(numPrefill > 0 ? [[withoutLastToken(sequence)]] : []),
        [lastToken(sequence)],
      ]);
      const decode = second!.logits.subarray(index * V, (index + 1) * V);
      assertSameBits(alone.at(-1)!.logits, decode, `sequence ${index}, decode`);
      if (numPrefill === 0) continue;
      const prefill = first!.logits.subarray(prefillRow * V, (prefillRow + numPrefill) * V);
      assertSameBits(alone[0]!.logits, prefill, `sequence ${index}, prefill`);
      prefillRow += numPrefill;
    }
  },

  "the order of sequences in a step orders their logits and changes no bit": async (fixture) => {
    const sequences = planned(fixture).map((sequence) => part(sequence, "last"));
    const [forward] = await fixture.runSteps([sequences]);
    const [backward] = await fixture.runSteps([sequences.toReversed()]);
    const V = fixture.model.vocabSize;
    sequences.forEach((_, index) => {
      const mirrored = sequences.length - 1 - index;
      assertSameBits(
        backward!.logits.subarray(mirrored * V, (mirrored + 1) * V),
        forward!.logits.subarray(index * V, (index + 1) * V),
        `sequence ${index}`,
      );
    });
  },

  "every engine gives the same bits, on any number of threads": async (fixture) => {
    const steps = [planned(fixture).map((sequence) => part(sequence))];
    const [first, ...others] = fixture.threadCounts;
    const [expected] = await fixture.runSteps(steps, first);
    for (const threads of others) {
      const [trace] = await fixture.runSteps(steps, threads);
      assertSameBits(trace!.logits, expected!.logits, `${threads} threads`);
    }
  },

  "which blocks a sequence has, and what they held before, change no bit": async (fixture) => {
    const [sequence] = planSequences(fixture.model, { ...plan, lengths: [40] });
    const inOrder = { ...sequence!, blockTable: [0, 1, 2].map(toBlockId) };
    const [expected] = await fixture.runSteps([[part(inOrder)]]);
    const engine = await fixture.openEngine();
    const other = planSequences(fixture.model, { ...plan, lengths: [48], seed: 99 })[0]!;
    for (const blockTable of [
      [7, 3, 5],
      [fixturePool.numBlocks - 1, 0, 11],
    ]) {
      const blocks = { blockTable: blockTable.map(toBlockId) };
      await runStep(engine, [part({ ...other, ...blocks })], fixture.answer);
      const trace = await runStep(engine, [part({ ...sequence!, ...blocks })], fixture.answer);
      assertSameBits(trace.logits, expected!.logits, `blocks ${blockTable.join(", ")}`);
    }
    await engine.close();
  },

  "sequences that share the blocks of a prefix compute as if they did not": async (fixture) => {
    const [a, b] = planSequences(fixture.model, { ...plan, lengths: [40, 40] }) as [
      PlannedSequence,
      PlannedSequence,
    ];
    const prefix = { end: 32 }; // two whole blocks
    const tokenIds = Int32Array.of(...a.tokenIds.slice(0, 32), ...b.tokenIds.slice(32));
    const apart = { ...b, tokenIds };
    const shared = {
      tokenIds,
      blockTable: [...a.blockTable.slice(0, 2), ...b.blockTable.slice(2)],
    };
    const rest = { first: 32 };
    const [, expected] = await fixture.runSteps([
      [part(a, "none", prefix), part(apart, "none", prefix)],
      [part(a, "all", rest), part(apart, "all", rest)],
    ]);
    const [, actual] = await fixture.runSteps([
      [part(a, "none", prefix)],
      [part(a, "all", rest), part(shared, "all", rest)],
    ]);
    assertSameBits(actual!.logits, expected!.logits, "logits after a shared prefix");
  },
};

const plan = { lengths, blockSizeTokens: fixturePool.blockSizeTokens, seed: 8 };

function planned({ model }: AttentionFixture): PlannedSequence[] {
  return planSequences(model, plan);
}

function withoutLastToken(sequence: StepSequence): StepSequence {
  return { ...sequence, tokenIds: sequence.tokenIds.slice(0, -1) };
}

function lastToken(sequence: StepSequence): StepSequence {
  const last = sequence.tokenIds.length - 1;
  return { ...sequence, tokenIds: sequence.tokenIds.slice(last), startPosition: last };
}
