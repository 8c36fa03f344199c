import assert from "node:assert/strict";
import {
  isQuantised,
  type ModelConfig,
  toBlockId,
  toExpertId,
  type WeightDtype,
  weightDtypes,
} from "@octet/core";
import { test } from "vitest";
import { assertSameBits } from "../conformance/compare.ts";
import { allExperts, expertRows } from "../conformance/expert-fixture.ts";
import { assertRefuses } from "../conformance/kernel-error-code.ts";
import { expertTokenAnswers, runStep } from "../conformance/run-step.ts";
import { scratchDirectory } from "../conformance/scratch-directory.ts";
import { writeSyntheticModel } from "../conformance/synthetic-model.ts";
import { tinyModel } from "../conformance/tiny-model.ts";
import { openCpuAttentionEngine } from "./cpu-attention-engine.ts";
import { openCpuExpertEngine } from "./cpu-expert-engine.ts";
import { cpuIsa, selectIsa, supportedCpuIsas } from "./cpu-isa.ts";
import type { CpuIsa } from "./native-addon.ts";

const newPath = scratchDirectory();
// Sizes that leave tails: 97 is no multiple of 16, 2144 is more than one pass over the columns.
const expertModel = (inBlocks: boolean) =>
  tinyModel({
    hiddenSize: inBlocks ? 96 : 97,
    intermediateSize: 2144,
    numLayers: 1,
    numExperts: 2,
  });
const attentionModel = tinyModel({
  hiddenSize: 160,
  numAttentionHeads: 6,
  numKeyValueHeads: 2,
  headDim: 48,
  numExperts: 5,
  numExpertsPerToken: 3,
  slidingWindow: 21,
});
const longModel = tinyModel({ numLayers: 1, numKeyValueHeads: 1, headDim: 40 });

test("the fastest build is chosen, and the portable one is always there", () => {
  const supported = supportedCpuIsas();
  assert.equal(cpuIsa(), supported[0]);
  assert.equal(supported.at(-1), "portable");
});

test('an instruction set this CPU lacks is "unsupported"', async () => {
  const all: CpuIsa[] = ["avx512", "avx2", "portable"];
  const lacking = all.find((isa) => !supportedCpuIsas().includes(isa)) ?? ("sve" as CpuIsa);
  await assertRefuses("unsupported", () => selectIsa(lacking), lacking);
});

for (const weightDtype of weightDtypes) {
  test(`expert ${weightDtype}: every build this machine runs gives the same bits`, async () => {
    const model = expertModel(isQuantised(weightDtype));
    const weights = await writeSyntheticModel({
      path: newPath(),
      model,
      weightDtype,
      seed: 21,
      parts: "experts",
    });
    const open = (isa: CpuIsa, threads: number) =>
      openCpuExpertEngine({
        model,
        weightDtype,
        weights: [weights],
        expertIds: allExperts(model),
        threads,
        isa,
      });
    const expertId = toExpertId(1, model.numExperts);
    for (const numRows of [1, 2, 7, 25, 195]) {
      const input = expertRows(model, weightDtype, { numRows, seed: numRows });
      const portable = await open("portable", 1);
      const expected = await portable.forward({ layer: 0, expertId, input });
      await portable.close();
      for (const isa of supportedCpuIsas()) {
        const engine = await open(isa, 3);
        const { data } = await engine.forward({ layer: 0, expertId, input });
        assertSameBits(data, expected.data, `${isa}, ${numRows} rows`);
        await engine.close();
      }
    }
  });

  const attentionRule = "every build this machine runs gives the same bits";
  test(`attention ${weightDtype}, 38 tokens: ${attentionRule}`, () =>
    compareAttention(weightDtype, attentionModel, 38));
  test(`attention ${weightDtype}, 530 tokens: ${attentionRule}`, () =>
    compareAttention(weightDtype, longModel, 530));
}

async function compareAttention(weightDtype: WeightDtype, model: ModelConfig, numTokens: number) {
  const weights = await writeSyntheticModel({
    path: newPath(),
    model,
    weightDtype,
    seed: 22,
    parts: "attention",
  });
  const run = async (isa: CpuIsa, threads: number) => {
    const pool = { numBlocks: 107, blockSizeTokens: 5 };
    const options = { model, weightDtype, weights, threads, isa, ...pool };
    const engine = await openCpuAttentionEngine(options);
    assert.equal(engine.device, `cpu ${isa}, ${threads} thread${threads === 1 ? "" : "s"}`);
    const blocks = Array.from({ length: pool.numBlocks }, (_, i) => (i * 7) % pool.numBlocks);
    const tokenIds = Int32Array.from({ length: numTokens }, (_, i) => (i * 37) % model.vocabSize);
    const step = {
      tokenIds,
      startPosition: 0,
      blockTable: blocks.map(toBlockId),
      logits: "all",
    } as const;
    const trace = await runStep(engine, [step], expertTokenAnswers(model, weightDtype));
    await engine.close();
    return trace;
  };
  const expected = await run("portable", 1);
  for (const isa of supportedCpuIsas()) {
    const { dispatches, logits } = await run(isa, 3);
    assertSameBits(logits, expected.logits, `${isa}: logits`);
    dispatches.forEach((dispatch, layer) => {
      const { expertIds, combineWeights, batches } = expected.dispatches[layer]!;
      assertSameBits(dispatch.expertIds, expertIds, `${isa}: experts of layer ${layer}`);
      assertSameBits(dispatch.combineWeights, combineWeights, `${isa}: weights of ${layer}`);
      dispatch.batches.forEach(({ input }, batch) => {
        assertSameBits(input.data, batches[batch]!.input.data, `${isa}: rows of ${layer}`);
      });
    });
  }
}
