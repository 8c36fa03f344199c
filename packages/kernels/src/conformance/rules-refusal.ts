// What a step refuses: batches it cannot place, answers it did not ask for, numbers it cannot use.
import assert from "node:assert/strict";
import { type BlockId, replyDtype, toBf16Bits, toExpertId } from "@octet/core";
import type { ExpertOutput, StepSequence } from "../attention-engine.ts";
import { encodeActivations } from "../reference/activation-rows.ts";
import { type AttentionFixture, type AttentionRules, fixturePool } from "./attention-fixture.ts";
import { assertSameBits, copyBytes } from "./compare.ts";
import { assertRefuses } from "./kernel-error-code.ts";
import { part, planSequences } from "./planned-sequence.ts";
import { answerBatches, runLayers, runStep } from "./run-step.ts";

export const refusalRules: AttentionRules = {
  'a batch outside the vocabulary, the pool or its own blocks is "bad-shape"': async (fixture) => {
    const engine = await fixture.openEngine();
    const good = plannedPart(fixture);
    const V = fixture.model.vocabSize;
    const { numBlocks } = fixturePool;
    const table = (...ids: number[]) => ({ ...good, blockTable: ids as BlockId[] });
    const wrong: Record<string, StepSequence[]> = {
      "no sequence": [],
      "no token": [{ ...good, tokenIds: new Int32Array(0) }],
      "a token past the vocabulary": [{ ...good, tokenIds: Int32Array.of(0, V) }],
      "a negative token": [{ ...good, tokenIds: Int32Array.of(-1) }],
      "a negative start": [{ ...good, startPosition: -1 }],
      "half a position": [{ ...good, startPosition: 0.5 }],
      "one block too few": [table(...good.blockTable.slice(1))],
      "positions past the table": [{ ...good, startPosition: 16 }],
      "no block": [table()],
      "a block past the pool": [table(good.blockTable[0]!, numBlocks)],
      "a negative block": [table(-1, good.blockTable[1]!)],
      "half a block": [table(0.5, good.blockTable[1]!)],
      "a block twice": [table(3, 3)],
      "a block that two write": [table(3, 4), table(5, 4)],
      "a good sequence, then a bad one": [good, { ...good, tokenIds: Int32Array.of(V) }],
    };
    for (const [what, sequences] of Object.entries(wrong)) {
      await assertRefuses("bad-shape", () => engine.openStep(sequences), what);
    }
    await runStep(engine, [good], fixture.answer);
    await engine.close();
  },

  'answers missing, double, unasked for or misshapen are "bad-shape" and change nothing': async (
    fixture,
  ) => {
    const sequence = plannedPart(fixture);
    const [expected] = await fixture.runSteps([[sequence]]);
    const engine = await fixture.openEngine();
    const step = engine.openStep([sequence]);
    const { numLayers } = fixture.model;
    await refuseAll(wrongAnswers(fixture, []), (outputs) => step.runLayer(0, outputs));
    let outputs: ExpertOutput[] = [];
    for (let layer = 0; layer < numLayers; layer++) {
      const dispatch = await step.runLayer(layer, outputs);
      outputs = await answerBatches(layer, dispatch, fixture.answer);
      await refuseAll(wrongAnswers(fixture, outputs), (wrong) =>
        layer + 1 < numLayers ? step.runLayer(layer + 1, wrong) : step.finish(wrong),
      );
    }
    assertSameBits(await step.finish(outputs), expected!.logits, "after refusals");
    await engine.close();
  },

  'answers that hold NaN or infinity are "non-finite"': async (fixture) => {
    const engine = await fixture.openEngine();
    const { numLayers } = fixture.model;
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      for (let badLayer = 0; badLayer < numLayers; badLayer++) {
        const step = engine.openStep([plannedPart(fixture)]);
        let outputs: ExpertOutput[] = [];
        for (let layer = 0; layer <= badLayer; layer++) {
          const dispatch = await step.runLayer(layer, outputs);
          outputs = await answerBatches(layer, dispatch, fixture.answer);
        }
        const bad = outputs.map((output) => withLastValue(output, value));
        const next = badLayer + 1;
        const run = () => (next < numLayers ? step.runLayer(next, bad) : step.finish(bad));
        await assertRefuses("non-finite", run, `${value} after layer ${badLayer}`);
        if (next < numLayers) continue;
        const again = engine.openStep([plannedPart(fixture)]);
        const { outputs: finite } = await runLayers(again, numLayers, fixture.answer);
        const spoilt = finite.map((output) => withLastValue(output, value));
        const top = () => again.finishTop(spoilt, 3);
        await assertRefuses("non-finite", top, `${value}, the largest logits`);
      }
    }
    await runStep(engine, [plannedPart(fixture)], fixture.answer);
    await engine.close();
  },

  "layers out of order are refused": async (fixture) => {
    const engine = await fixture.openEngine();
    const step = engine.openStep([plannedPart(fixture)]);
    await assert.rejects(async () => step.runLayer(1, []), "layer 1 first");
    await assert.rejects(async () => step.finish([]), "finish before any layer");
    const dispatch = await step.runLayer(0, []);
    const outputs = await answerBatches(0, dispatch, fixture.answer);
    await assert.rejects(async () => step.runLayer(0, []), "layer 0 twice");
    await assert.rejects(async () => step.finish(outputs), "finish before the last layer");
    await engine.close();
  },
};

function plannedPart({ model }: AttentionFixture): StepSequence {
  const plan = { lengths: [19], blockSizeTokens: fixturePool.blockSizeTokens, seed: 14 };
  return part(planSequences(model, plan)[0]!);
}

async function refuseAll(
  wrong: Readonly<Record<string, ExpertOutput[]>>,
  run: (outputs: ExpertOutput[]) => Promise<unknown>,
): Promise<void> {
  for (const [what, outputs] of Object.entries(wrong)) {
    await assertRefuses("bad-shape", () => run(outputs), what);
  }
}

function wrongAnswers(
  { model, weightDtype }: AttentionFixture,
  outputs: readonly ExpertOutput[],
): Record<string, ExpertOutput[]> {
  const H = model.hiddenSize;
  const dtype = replyDtype(weightDtype);
  const rows = (count: number, width = H, as = dtype) =>
    encodeActivations(new Float32Array(count * width), width, as);
  const asked = new Set<number>(outputs.map(({ expertId }) => expertId));
  const unasked = [...Array(model.numExperts).keys()].find((id) => !asked.has(id));
  const wrong: Record<string, ExpertOutput[]> = {};
  if (unasked !== undefined) {
    const output = { expertId: toExpertId(unasked, model.numExperts), output: rows(1) };
    wrong["an answer nobody asked for"] = [...outputs, output];
  }
  const [first, ...others] = outputs;
  if (first === undefined) return wrong;
  const { expertId, output } = first;
  const instead = (replacement: ExpertOutput["output"]) => [
    { expertId, output: replacement },
    ...others,
  ];
  return {
    ...wrong,
    "no answer": [],
    "a missing answer": others,
    "a double answer": [first, first, ...others],
    "a row too many": instead(rows(output.rows + 1)),
    "no rows": instead(rows(0)),
    "another width": instead(rows(output.rows, H * 2)),
    "another dtype": instead(rows(output.rows, H, dtype === "f32" ? "bf16" : "f32")),
    "bytes cut off": instead({ ...output, data: output.data.subarray(1) }),
  };
}

function withLastValue({ expertId, output }: ExpertOutput, value: number): ExpertOutput {
  const data = copyBytes(output.data);
  const view = new DataView(data.buffer);
  if (output.dtype === "f32") view.setFloat32(data.length - 4, value, true);
  else view.setUint16(data.length - 2, toBf16Bits(value), true);
  return { expertId, output: { ...output, data } };
}
