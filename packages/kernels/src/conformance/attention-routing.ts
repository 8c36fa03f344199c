// What every LayerDispatch must be, whatever the gate chose.
import assert from "node:assert/strict";
import {
  activationRowBytes,
  dispatchDtype,
  type ModelConfig,
  type WeightDtype,
  weightDtypes,
} from "@octet/core";
import { test } from "vitest";
import type { LayerDispatch } from "../attention-engine.ts";
import type { OpenAttentionEngine } from "./open-engine.ts";
import { numBlocksFor, part, planSequences } from "./planned-sequence.ts";
import { runStep, type StepTrace, tokenAnswers } from "./run-step.ts";
import { scratchDirectory } from "./scratch-directory.ts";
import { writeSyntheticModel } from "./synthetic-model.ts";
import { tinyModel } from "./tiny-model.ts";

const numTokens = 39;

export function attentionRoutingTests(open: OpenAttentionEngine): void {
  const newPath = scratchDirectory();
  const models = [
    tinyModel(),
    tinyModel({ numExperts: 16, numExpertsPerToken: 4 }),
    tinyModel({ numExperts: 64, numExpertsPerToken: 8 }),
    tinyModel({ numExpertsPerToken: 1 }),
    tinyModel({ numExperts: 1, numExpertsPerToken: 1 }),
  ];

  const trace = async (
    model: ModelConfig,
    weightDtype: WeightDtype,
    edit: (name: string, values: Float32Array) => void = () => {},
  ): Promise<StepTrace> => {
    const path = newPath();
    const weights = await writeSyntheticModel({
      path,
      model,
      weightDtype,
      seed: 31,
      parts: "attention",
      edit,
    });
    const plan = { lengths: [numTokens], blockSizeTokens: 16, seed: 2 };
    const pool = { numBlocks: numBlocksFor(plan), blockSizeTokens: 16 };
    const engine = await open({ model, weightDtype, weights, ...pool, threads: 2 });
    const sequences = planSequences(model, plan).map((sequence) => part(sequence));
    const result = await runStep(engine, sequences, tokenAnswers(model, weightDtype));
    await engine.close();
    return result;
  };

  for (const weightDtype of weightDtypes) {
    for (const model of models) {
      const shape = `E=${model.numExperts} K=${model.numExpertsPerToken}`;
      const rule = `attention ${weightDtype} ${shape}: each token goes once to each of its experts`;
      test(rule, async () => {
        const { dispatches } = await trace(model, weightDtype);
        for (const dispatch of dispatches) assertConserved(dispatch, model, weightDtype);
      });
    }

    const tieRule = "equal gate logits go to the lower ids, in equal parts";
    test(`attention ${weightDtype}: ${tieRule}`, async () => {
      const model = tinyModel({ numExperts: 16, numExpertsPerToken: 4 });
      const { dispatches } = await trace(model, weightDtype, (name, values) => {
        if (name.endsWith("gate.weight")) copyFirstRow(values, model.hiddenSize);
      });
      for (const { batches, expertIds, combineWeights } of dispatches) {
        assert(expertIds.every((id, i) => id === i % 4));
        assert(combineWeights.every((weight) => weight === 1 / 4));
        // Experts 4 to 15 have no tokens and so no batch; 0 to 3 have all of them.
        assert.deepEqual(
          batches.map(({ expertId, tokenIndex }) => [expertId, tokenIndex.length]),
          [0, 1, 2, 3].map((expertId) => [expertId, numTokens]),
        );
      }
    });

    test(`attention ${weightDtype}: all tokens may choose one expert`, async () => {
      const model = tinyModel({ numExpertsPerToken: 1 });
      const { dispatches } = await trace(model, weightDtype, (name, values) => {
        if (name.endsWith("gate.weight")) copyFirstRow(values, model.hiddenSize);
      });
      for (const { batches, combineWeights } of dispatches) {
        assert.equal(batches.length, 1);
        assert.equal(batches[0]!.tokenIndex.length, numTokens);
        assert(combineWeights.every((weight) => weight === 1));
      }
    });
  }
}

function copyFirstRow(values: Float32Array, width: number): void {
  for (let row = width; row < values.length; row += width) values.copyWithin(row, 0, width);
}

/** Dispatch loses no token, invents none, and says truly who gets what. */
function assertConserved(dispatch: LayerDispatch, model: ModelConfig, weightDtype: WeightDtype) {
  const { batches, expertIds, combineWeights } = dispatch;
  const { hiddenSize, numExperts, numExpertsPerToken: K } = model;
  assert.equal(expertIds.length, numTokens * K);
  assert.equal(combineWeights.length, numTokens * K);
  for (let token = 0; token < numTokens; token++) {
    const ids = expertIds.subarray(token * K, (token + 1) * K);
    const weights = combineWeights.subarray(token * K, (token + 1) * K);
    assert.equal(new Set(ids).size, K, "a token's experts are distinct");
    assert(ids.every((id) => id >= 0 && id < numExperts));
    assert(weights.every((weight, k) => weight >= 0 && (k === 0 || weight <= weights[k - 1]!)));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    assert(Math.abs(sum - 1) <= 1e-6, `a token's combine weights sum to ${sum}`); // K f32 roundings
  }
  const sent = batches.map(({ expertId, tokenIndex }) => ({ expertId, tokens: [...tokenIndex] }));
  const chosen = Array.from({ length: numExperts }, (_, expertId) => ({
    expertId,
    tokens: Array.from(expertIds.keys())
      .filter((i) => expertIds[i] === expertId)
      .map((i) => Math.floor(i / K)),
  })).filter(({ tokens }) => tokens.length > 0);
  assert.deepEqual(sent, chosen, "batches by ascending expert, their tokens ascending");
  const dtype = dispatchDtype(weightDtype);
  const rowBytes = activationRowBytes(dtype, hiddenSize);
  const rowOfToken = new Map<number, string>();
  for (const { input, tokenIndex } of batches) {
    const { rows, width, data } = input;
    assert.deepEqual([input.dtype, rows, width], [dtype, tokenIndex.length, hiddenSize]);
    assert.equal(data.length, rows * rowBytes);
    tokenIndex.forEach((token, row) => {
      const bytes = data.subarray(row * rowBytes, (row + 1) * rowBytes).join();
      assert.equal(rowOfToken.get(token) ?? bytes, bytes, "each expert gets a token's same row");
      rowOfToken.set(token, bytes);
    });
  }
}
