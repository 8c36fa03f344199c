// A step's bits do not depend on how its calls fall among those of other steps.
import assert from "node:assert/strict";
import { type AttentionFixture, type AttentionRules, fixturePool } from "./attention-fixture.ts";
import { assertSameBits } from "./compare.ts";
import { part, planSequences } from "./planned-sequence.ts";
import { answerBatches, runLayers, runStep } from "./run-step.ts";

export const stepRules: AttentionRules = {
  "the order of the previous layer's outputs changes no bit": async (fixture) => {
    const [sequence] = planned(fixture);
    const [expected] = await fixture.runSteps([[part(sequence!)]]);
    const engine = await fixture.openEngine();
    const step = engine.openStep([part(sequence!)]);
    let dispatch = await step.runLayer(0, []);
    for (let layer = 1; layer < fixture.model.numLayers; layer++) {
      const outputs = await answerBatches(layer - 1, dispatch, fixture.answer);
      dispatch = await step.runLayer(layer, outputs.toReversed());
    }
    const last = await answerBatches(fixture.model.numLayers - 1, dispatch, fixture.answer);
    assert(last.length > 1, "more than one expert answers");
    const rotated = [...last.slice(1), last[0]!];
    assertSameBits(await step.finish(rotated), expected!.logits, "outputs in another order");
    await engine.close();
  },

  "two steps open at once compute as one after the other": async (fixture) => {
    const [a, b] = planned(fixture);
    const [first, second] = await fixture.runSteps([[part(a!)], [part(b!)]]);
    const engine = await fixture.openEngine({ threads: 2 });
    const steps = [engine.openStep([part(a!)]), engine.openStep([part(b!)])] as const;
    const run = await Promise.all(
      steps.map(async (step) => {
        const { outputs } = await runLayers(step, fixture.model.numLayers, fixture.answer);
        return step.finish(outputs);
      }),
    );
    assertSameBits(run[0]!, first!.logits, "the first of two steps");
    assertSameBits(run[1]!, second!.logits, "the second of two steps");
    await engine.close();
  },

  "a step that was abandoned can be given again, with the same bits": async (fixture) => {
    const [a, b] = planned(fixture);
    const prompt = { end: 20 };
    const rest = { first: 20 };
    const [, expected] = await fixture.runSteps([
      [part(a!, "none", prompt), part(b!, "none")],
      [part(a!, "all", rest)],
    ]);
    for (let numLayers = 0; numLayers <= fixture.model.numLayers; numLayers++) {
      const engine = await fixture.openEngine();
      await runStep(engine, [part(a!, "none", prompt)], fixture.answer);
      const abandoned = engine.openStep([part(a!, "all", rest)]);
      await runLayers(abandoned, numLayers, fixture.answer);
      const again = await runStep(engine, [part(a!, "all", rest)], fixture.answer);
      assertSameBits(again.logits, expected!.logits, `abandoned after ${numLayers} layers`);
      await engine.close();
    }
  },

  "other tokens given in place of an abandoned step's leave no trace of it": async (fixture) => {
    const [a, b] = planned(fixture);
    const [expected] = await fixture.runSteps([[part(a!)]]);
    const engine = await fixture.openEngine();
    const inPlaceOfA = { ...b!, blockTable: [...a!.blockTable, ...b!.blockTable] };
    const abandoned = engine.openStep([part(inPlaceOfA)]);
    await runLayers(abandoned, 1, fixture.answer);
    const trace = await runStep(engine, [part(a!)], fixture.answer);
    assertSameBits(trace.logits, expected!.logits, "after other tokens in the same blocks");
    await engine.close();
  },
};

function planned({ model }: AttentionFixture) {
  const { blockSizeTokens } = fixturePool;
  return planSequences(model, { lengths: [29, 45], blockSizeTokens, seed: 6 });
}
