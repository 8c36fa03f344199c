// What an engine says of itself, and what is left of it once it is closed.
import assert from "node:assert/strict";
import { type AttentionRules, fixturePool } from "./attention-fixture.ts";
import { assertSameBits } from "./compare.ts";
import { assertRefuses } from "./kernel-error-code.ts";
import { part, planSequences } from "./planned-sequence.ts";
import { answerBatches } from "./run-step.ts";

export const closeRules: AttentionRules = {
  "describes itself as it was opened": async (fixture) => {
    const engine = await fixture.openEngine();
    const { model, weightDtype } = fixture;
    assert.deepEqual(engine.model, model);
    assert.equal(engine.weightDtype, weightDtype);
    assert.equal(engine.numBlocks, fixturePool.numBlocks);
    assert.equal(engine.blockSizeTokens, fixturePool.blockSizeTokens);
    assert(engine.device.length > 0);
    assert(engine.weightBytes > 0);
    const slots = engine.numBlocks * engine.blockSizeTokens * model.numLayers;
    const elementBytes = weightDtype === "f32" ? 4 : 2;
    const kvBytes = slots * 2 * model.numKeyValueHeads * model.headDim * elementBytes;
    assert(engine.kvBytes >= kvBytes, `${engine.kvBytes} bytes of KV, at least ${kvBytes}`);
    const step = engine.openStep(planned(fixture.model).map((sequence) => part(sequence)));
    assert.equal(step.numTokens, 30);
    await engine.close();
  },

  'a closed engine and its steps are "closed"': async (fixture) => {
    const engine = await fixture.openEngine();
    const [sequence] = planned(fixture.model);
    const step = engine.openStep([part(sequence!)]);
    const other = engine.openStep([part(planned(fixture.model)[1]!)]);
    let dispatch = await step.runLayer(0, []);
    let outputs = await answerBatches(0, dispatch, fixture.answer);
    for (let layer = 1; layer < fixture.model.numLayers; layer++) {
      dispatch = await step.runLayer(layer, outputs);
      outputs = await answerBatches(layer, dispatch, fixture.answer);
    }
    await engine.close();
    await assertRefuses("closed", () => engine.openStep([part(sequence!)]), "openStep");
    await assertRefuses("closed", () => other.runLayer(0, []), "runLayer");
    await assertRefuses("closed", () => step.finish(outputs), "finish");
    await engine.close();
  },

  "close waits for calls under way": async (fixture) => {
    const [a, b] = planned(fixture.model);
    const [expected] = await fixture.runSteps([[part(a!)]]);
    const engine = await fixture.openEngine({ threads: 2 });
    const steps = [a!, b!].map((sequence) => engine.openStep([part(sequence)]));
    let answered = 0;
    const underWay = steps.map(async (step) => {
      const { expertIds } = await step.runLayer(0, []);
      answered += 1;
      return expertIds;
    });
    await engine.close();
    assert.equal(answered, steps.length, "calls made before close are answered before it resolves");
    const [expertIds] = await Promise.all(underWay);
    assertSameBits(expertIds!, expected!.dispatches[0]!.expertIds, "an answer under way");
  },
};

function planned(model: Parameters<typeof planSequences>[0]) {
  const { blockSizeTokens } = fixturePool;
  return planSequences(model, { lengths: [19, 11], blockSizeTokens, seed: 15 });
}
