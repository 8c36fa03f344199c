// The same over pasts long enough that an engine cuts them up.
import type { StepSequence } from "../attention-engine.ts";
import type { AttentionFixture, AttentionRules } from "./attention-fixture.ts";
import { assertSameBits } from "./compare.ts";
import { numBlocksFor, part, planSequences } from "./planned-sequence.ts";
import { tinyModel } from "./tiny-model.ts";

/** Over several borders of whatever an engine cuts at, and at none itself. */
const length = 779;
const plan = { lengths: [length, 530], blockSizeTokens: 16, seed: 31 };

export const longPastPool = { numBlocks: numBlocksFor(plan), blockSizeTokens: 16 };

const model = tinyModel({ maxPositions: 1024, numLayers: 1, numExperts: 2 });

export const longPastModels = {
  " 779 tokens": model,
  " 779 tokens, window of 300": { ...model, slidingWindow: 300 },
};

export const longPastRules: AttentionRules = {
  "decode across every border gives the bits of a whole prefill": async (fixture) => {
    const { whole, sequence } = await wholePrefill(fixture);
    const steps: StepSequence[][] = [];
    const decoded = new Set(
      [64, 128, 256, 512, 768].flatMap((border) =>
        Array.from({ length: 5 }, (_, i) => border - 3 + i),
      ),
    );
    for (let first = 0; first < length; ) {
      let end = first + 1;
      while (!decoded.has(first) && end < length && !decoded.has(end)) end++;
      steps.push([part(sequence, "all", { first, end })]);
      first = end;
    }
    const traces = await fixture.runSteps(steps, 2);
    const logits = Float32Array.from(traces.flatMap((trace) => [...trace.logits]));
    assertSameBits(logits, whole, "prefill, decode, prefill, ...");
  },

  "chunks that begin anywhere give the bits of a whole prefill": async (fixture) => {
    const { whole, sequence } = await wholePrefill(fixture);
    for (const chunk of [100, 255, 257, 512]) {
      const steps: StepSequence[][] = [];
      for (let first = 0; first < length; first += chunk) {
        steps.push([part(sequence, "all", { first, end: Math.min(first + chunk, length) })]);
      }
      const traces = await fixture.runSteps(steps);
      const logits = Float32Array.from(traces.flatMap((trace) => [...trace.logits]));
      assertSameBits(logits, whole, `chunks of ${chunk}`);
    }
  },

  "any number of threads gives the same bits, alone and beside another": async (fixture) => {
    const sequences = planSequences(fixture.model, plan);
    const prefill = sequences.map((sequence) =>
      part(sequence, "last", { end: sequence.tokenIds.length - 1 }),
    );
    const decode = sequences.map((sequence) =>
      part(sequence, "last", { first: sequence.tokenIds.length - 1 }),
    );
    const [first, ...others] = fixture.threadCounts;
    const [, expected] = await fixture.runSteps([prefill, decode], first);
    const V = fixture.model.vocabSize;
    for (const threads of others) {
      const [, together] = await fixture.runSteps([prefill, decode], threads);
      assertSameBits(together!.logits, expected!.logits, `${threads} threads`);
      const [, alone] = await fixture.runSteps([[prefill[0]!], [decode[0]!]], threads);
      assertSameBits(alone!.logits, expected!.logits.subarray(0, V), `alone, ${threads} threads`);
    }
  },
};

async function wholePrefill(fixture: AttentionFixture) {
  const sequence = planSequences(fixture.model, plan)[0]!;
  const [trace] = await fixture.runSteps([[part(sequence)]]);
  return { whole: trace!.logits, sequence };
}
