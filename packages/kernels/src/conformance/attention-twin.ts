// An attention engine's layers and logits against the reference's, given the same answers.
import assert from "node:assert/strict";
import {
  type ModelConfig,
  replyDtype,
  type WeightDtype,
  type WeightFile,
  weightDtypes,
} from "@octet/core";
import { test } from "vitest";
import type { LayerDispatch, StepSequence } from "../attention-engine.ts";
import { encodeActivations } from "../reference/activation-rows.ts";
import { openReferenceAttentionEngine } from "../reference/reference-attention-engine.ts";
import { readTensors } from "../reference/weight-reader.ts";
import { attentionTolerance } from "./attention-tolerance.ts";
import { type AttentionTwinCase, attentionTwinCases } from "./attention-twin-cases.ts";
import { assertClose } from "./compare.ts";
import { clearTokens, hiddenRows } from "./hidden-rows.ts";
import type { OpenAttentionEngine } from "./open-engine.ts";
import { numBlocksFor, part, planSequences } from "./planned-sequence.ts";
import { type Answer, expertTokenAnswers, runStep, tokenAnswers } from "./run-step.ts";
import { scratchDirectory } from "./scratch-directory.ts";
import { writeSyntheticModel } from "./synthetic-model.ts";
import { tinyModel } from "./tiny-model.ts";

/** One for which the two tokens of the test by weights have no choice near a tie. */
const weightsSeed = 21;

export function attentionTwinTests(open: OpenAttentionEngine): void {
  const newPath = scratchDirectory();
  for (const twinCase of attentionTwinCases) {
    const { model, name, timeoutMs } = twinCase;
    for (const weightDtype of twinCase.dtypes) {
      const { bound, reason } = attentionTolerance[weightDtype];
      const rule = `${name}: within ${bound} of the reference (${reason})`;
      const answer = tokenAnswers(model, weightDtype);
      const run = () => compareEngines(open, newPath(), { twinCase, weightDtype, answer });
      const options = timeoutMs === undefined ? {} : { timeout: timeoutMs };
      test(`attention ${weightDtype}, ${rule}`, options, run);
    }
  }

  for (const weightDtype of weightDtypes) {
    test(`attention ${weightDtype}: each expert's answer counts by its own weight`, async () => {
      // Two tokens with no choice near a tie, so that engines must agree on all of them.
      const model = tinyModel({ numExperts: 6, numExpertsPerToken: 3 });
      const twinCase = {
        name: "two tokens",
        model,
        dtypes: [weightDtype],
        lengths: [2],
        steps: [[{ first: 0, end: 2 }]],
      };
      await compareEngines(open, newPath(), {
        twinCase,
        weightDtype,
        answer: expertTokenAnswers(model, weightDtype),
        allClear: true,
      });
    });
  }

  for (const weightDtype of ["f32", "q8"] as const) {
    // Replies of f32, and of bf16. In any order but the rising one the two small answers are lost.
    test(`attention ${weightDtype}: answers are added in ascending expert id`, async () => {
      const model = tinyModel({ numExperts: 4, numExpertsPerToken: 4 });
      const values = [2 ** 30, -(2 ** 30), 2, 1];
      await compareEngines(open, newPath(), {
        twinCase: {
          name: "five tokens",
          model,
          dtypes: [weightDtype],
          lengths: [5],
          steps: [[{ first: 0, end: 5 }]],
        },
        weightDtype,
        answer: (_, { expertId, tokenIndex }) => {
          const rows = new Float32Array(tokenIndex.length * model.hiddenSize);
          return encodeActivations(
            rows.fill(values[expertId]!),
            model.hiddenSize,
            replyDtype(weightDtype),
          );
        },
        // Equal logits give each expert a quarter, which no product rounds.
        edit: (name, weights) => {
          if (name.endsWith("gate.weight")) weights.fill(0);
        },
      });
    });
  }
}

interface Comparison {
  readonly twinCase: AttentionTwinCase;
  readonly weightDtype: WeightDtype;
  readonly answer: Answer;
  /** Whether every token's choice must be clear, as the answers depend on it. */
  readonly allClear?: boolean;
  /** Changes tensors before they are written. */
  readonly edit?: (name: string, values: Float32Array) => void;
}

async function compareEngines(
  open: OpenAttentionEngine,
  path: string,
  { twinCase, weightDtype, answer, allClear = false, edit = () => {} }: Comparison,
): Promise<void> {
  const { model, blockSizeTokens = 16, embeddingDtype } = twinCase;
  const weights = await writeSyntheticModel({
    path,
    model,
    weightDtype,
    seed: weightsSeed,
    parts: "attention",
    edit,
    ...(embeddingDtype === undefined ? {} : { embeddingDtype }),
  });
  const plan = { lengths: twinCase.lengths, blockSizeTokens, seed: 4 };
  const numBlocks = numBlocksFor(plan);
  const options = { model, weightDtype, weights, numBlocks, blockSizeTokens, threads: 2 };
  const engine = await open(options);
  const reference = await openReferenceAttentionEngine(options);
  const gates = await readGates(weights, model);
  for (const [index, sequences] of stepsOf(twinCase, plan).entries()) {
    const actual = await runStep(engine, sequences, answer);
    const expected = await runStep(reference, sequences, answer);
    expected.dispatches.forEach((dispatch, layer) => {
      const what = `step ${index} layer ${layer}`;
      const clear = compareDispatch(actual.dispatches[layer]!, dispatch, {
        model,
        weightDtype,
        gate: gates[layer]!,
        what,
      });
      const needed = allClear ? sequences[0]!.tokenIds.length : 0;
      assert(clear >= needed, `${what}: only ${clear} of ${needed} choices are clear`);
    });
    const { bound } = attentionTolerance[weightDtype];
    assert.equal(actual.logits.length, expected.logits.length, `step ${index}: logits asked for`);
    if (expected.logits.length === 0) continue;
    assertClose(actual.logits, expected.logits, { bound, what: `step ${index} logits` });
  }
  await engine.close();
  await reference.close();
}

function stepsOf(
  { model, steps }: AttentionTwinCase,
  plan: Parameters<typeof planSequences>[1],
): StepSequence[][] {
  const sequences = planSequences(model, plan);
  return steps.map((step) =>
    step.flatMap((range, index) => {
      return range === undefined ? [] : [part(sequences[index]!, range.logits, range)];
    }),
  );
}

/** Fails if a layer's hidden rows or clear choices differ; returns how many were clear. */
function compareDispatch(
  actual: LayerDispatch,
  expected: LayerDispatch,
  context: { model: ModelConfig; weightDtype: WeightDtype; gate: Float32Array; what: string },
): number {
  const { model, weightDtype, gate, what } = context;
  const { bound, combineWeight, gateMargin } = attentionTolerance[weightDtype];
  const hidden = hiddenRows(expected, model);
  assertClose(hiddenRows(actual, model), hidden, { bound, what: `${what} hidden states` });
  const K = model.numExpertsPerToken;
  const clear = clearTokens(hidden, gate, { model, margin: gateMargin });
  for (const token of clear) {
    const row = [token * K, (token + 1) * K] as const;
    assert.deepEqual(
      [...actual.expertIds.subarray(...row)],
      [...expected.expertIds.subarray(...row)],
      `${what} token ${token}: experts`,
    );
    for (let i = row[0]; i < row[1]; i++) {
      const difference = Math.abs(actual.combineWeights[i]! - expected.combineWeights[i]!);
      assert(difference <= combineWeight, `${what} token ${token}: weight off by ${difference}`);
    }
  }
  return clear.length;
}

async function readGates(weights: WeightFile, model: ModelConfig): Promise<Float32Array[]> {
  const shape = [model.numExperts, model.hiddenSize];
  const names = Array.from(
    { length: model.numLayers },
    (_, layer) => `model.layers.${layer}.block_sparse_moe.gate.weight`,
  );
  const required = names.map((name) => ({ name, shape, dtypes: ["f32"] as const }));
  const tensors = await readTensors(weights, required);
  return names.map((name) => new Float32Array(tensors.get(name)!.buffer));
}
