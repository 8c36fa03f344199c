import assert from "node:assert/strict";
import { replyDtype, toBlockId, weightDtypes } from "@octet/core";
import { test } from "vitest";
import type { ExpertOutput } from "../attention-engine.ts";
import { assertSameBits } from "../conformance/compare.ts";
import { assertRefuses } from "../conformance/kernel-error-code.ts";
import { answerBatches, expertTokenAnswers, runStep } from "../conformance/run-step.ts";
import { scratchDirectory } from "../conformance/scratch-directory.ts";
import { writeSyntheticModel } from "../conformance/synthetic-model.ts";
import { tinyModel } from "../conformance/tiny-model.ts";
import { openCpuAttentionEngine } from "./cpu-attention-engine.ts";

const newPath = scratchDirectory();
const model = tinyModel();
const sequence = {
  tokenIds: Int32Array.from([5, 9, 61, 61, 2]),
  startPosition: 0,
  blockTable: [toBlockId(1)],
  logits: "last",
} as const;

/** The same outputs with the last value of the last row of one expert replaced. */
function spoilt(outputs: readonly ExpertOutput[], value: number): ExpertOutput[] {
  return outputs.map(({ expertId, output }, index) => {
    const data = output.data.slice();
    const view = new DataView(data.buffer);
    if (index === 1 && output.dtype === "f32") view.setFloat32(data.length - 4, value, true);
    if (index === 1 && output.dtype === "bf16") {
      view.setUint16(data.length - 2, new Uint16Array(Float32Array.of(value).buffer)[1]!, true);
    }
    return { expertId, output: { ...output, data } };
  });
}

for (const weightDtype of weightDtypes) {
  test(`attention ${weightDtype}: a reply with NaN is refused, and another may take its place`, async () => {
    const weights = await writeSyntheticModel({ path: newPath(), model, weightDtype, seed: 8 });
    const pool = { numBlocks: 4, blockSizeTokens: 16 };
    const options = { model, weightDtype, weights, threads: 2, ...pool };
    const engine = await openCpuAttentionEngine(options);
    const answer = expertTokenAnswers(model, weightDtype);
    const expected = await runStep(engine, [sequence], answer);
    const step = engine.openStep([sequence]);
    let outputs: ExpertOutput[] = [];
    for (let layer = 0; layer < model.numLayers; layer++) {
      const dispatch = await step.runLayer(layer, outputs);
      assertSameBits(
        dispatch.combineWeights,
        expected.dispatches[layer]!.combineWeights,
        `layer ${layer} after a refused reply`,
      );
      outputs = await answerBatches(layer, dispatch, answer);
      assert.equal(outputs[1]!.output.dtype, replyDtype(weightDtype));
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const isLast = layer === model.numLayers - 1;
        const refused = () =>
          isLast
            ? step.finish(spoilt(outputs, value))
            : step.runLayer(layer + 1, spoilt(outputs, value));
        await assertRefuses("non-finite", refused, `a reply with ${value}`);
      }
    }
    assertSameBits(await step.finish(outputs), expected.logits, "logits after refused replies");
    await engine.close();
  });
}

test("a step takes one call at a time, and none after it has finished", async () => {
  const weightDtype = "f32";
  const weights = await writeSyntheticModel({ path: newPath(), model, weightDtype, seed: 8 });
  const pool = { numBlocks: 4, blockSizeTokens: 16 };
  const engine = await openCpuAttentionEngine({ model, weightDtype, weights, threads: 1, ...pool });
  const step = engine.openStep([sequence]);
  const first = step.runLayer(0, []);
  await assert.rejects(step.runLayer(0, []), assert.AssertionError);
  const dispatch = await first;
  await assert.rejects(step.runLayer(0, []), assert.AssertionError);
  const answer = expertTokenAnswers(model, weightDtype);
  const next = await step.runLayer(1, await answerBatches(0, dispatch, answer));
  const outputs = await answerBatches(1, next, answer);
  await step.finish(outputs);
  await assert.rejects(step.finish(outputs), assert.AssertionError);
  await engine.close();
});
