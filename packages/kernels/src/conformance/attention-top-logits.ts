// The largest logits of a row against all of them.
import assert from "node:assert/strict";
import { type ModelConfig, type WeightDtype, weightDtypes } from "@octet/core";
import { test } from "vitest";
import { topLogitsMax } from "../attention-engine.ts";
import { selectTopLogits } from "../top-logits.ts";
import { assertSameBits } from "./compare.ts";
import type { OpenAttentionEngine } from "./open-engine.ts";
import { numBlocksFor, part, planSequences } from "./planned-sequence.ts";
import { runLayers, tokenAnswers } from "./run-step.ts";
import { scratchDirectory } from "./scratch-directory.ts";
import { writeSyntheticModel } from "./synthetic-model.ts";
import { tinyModel } from "./tiny-model.ts";

/** More tokens than an engine may look at in one go, and a number that nothing divides. */
const largeVocabulary = tinyModel({ vocabSize: 2617, numLayers: 1 });

export function attentionTopLogitsTests(open: OpenAttentionEngine): void {
  const newPath = scratchDirectory();
  const openStep = async (
    model: ModelConfig,
    weightDtype: WeightDtype,
    edit: (name: string, values: Float32Array) => void = () => {},
  ) => {
    const path = newPath();
    const parts = "attention";
    const weights = await writeSyntheticModel({ path, model, weightDtype, seed: 51, parts, edit });
    const plan = { lengths: [3, 1, 2], blockSizeTokens: 16, seed: 3 };
    const pool = { numBlocks: numBlocksFor(plan), blockSizeTokens: 16 };
    const engine = await open({ model, weightDtype, weights, ...pool, threads: 2 });
    const sequences = planSequences(model, plan).map((sequence, index) =>
      part(sequence, (["all", "last", "none"] as const)[index]),
    );
    const answer = tokenAnswers(model, weightDtype);
    const finished = async () => {
      const step = engine.openStep(sequences);
      const { outputs } = await runLayers(step, model.numLayers, answer);
      return { step, outputs };
    };
    return { engine, finished };
  };

  for (const weightDtype of weightDtypes) {
    for (const model of [tinyModel(), largeVocabulary]) {
      const { vocabSize } = model;
      const rule = `V=${vocabSize}: the largest logits are the first of all, sorted`;
      test(`attention ${weightDtype} ${rule}`, async () => {
        const { engine, finished } = await openStep(model, weightDtype);
        const whole = await finished();
        const logits = await whole.step.finish(whole.outputs);
        for (const count of [1, 2, 37, Math.min(topLogitsMax, vocabSize)]) {
          const { step, outputs } = await finished();
          const top = await step.finishTop(outputs, count);
          const expected = selectTopLogits(logits, { count, vocabSize });
          assert.equal(top.count, count);
          assertSameBits(top.tokenIds, expected.tokenIds, `${count} token ids`);
          assertSameBits(top.logits, expected.logits, `${count} logits`);
        }
        await engine.close();
      });
    }

    test(`attention ${weightDtype}: equal logits come by rising token id`, async () => {
      const model = largeVocabulary;
      const { engine, finished } = await openStep(model, weightDtype, (name, values) => {
        if (name !== "lm_head.weight") return;
        const width = model.hiddenSize;
        for (let at = width; at < values.length; at += width) values.copyWithin(at, 0, width);
      });
      const { step, outputs } = await finished();
      const { tokenIds, logits } = await step.finishTop(outputs, topLogitsMax);
      tokenIds.forEach((id, i) => {
        assert.equal(id, i % topLogitsMax);
      });
      assert(logits.every((logit, i) => logit === logits[i - (i % topLogitsMax)]));
      await engine.close();
    });
  }

  test("attention: as many logits as no row has are refused", async () => {
    const { engine, finished } = await openStep(tinyModel({ vocabSize: 40 }), "f32");
    const { step, outputs } = await finished();
    for (const count of [0, 41, 65]) {
      await assert.rejects(async () => step.finishTop(outputs, count), /expected 1 to 40 logits/);
    }
    assert.equal((await step.finishTop(outputs, 40)).tokenIds.length, 4 * 40);
    await engine.close();
  });
}
