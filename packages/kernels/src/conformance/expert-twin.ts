// An engine's answers against the reference's on the same quantised rows.
import { type ModelConfig, type WeightDtype, weightDtypes } from "@octet/core";
import { test } from "vitest";
import { decodeActivations } from "../reference/activation-rows.ts";
import { openReferenceExpertEngine } from "../reference/reference-expert-engine.ts";
import { assertClose } from "./compare.ts";
import { allExperts, expertRows } from "./expert-fixture.ts";
import type { OpenExpertEngine } from "./open-engine.ts";
import { scratchDirectory } from "./scratch-directory.ts";
import { writeSyntheticModel } from "./synthetic-model.ts";
import { tinyModel } from "./tiny-model.ts";

const quantised = {
  bound: 2e-3,
  reason: "as bf16, and a hidden value near a tie to the other quant",
};

/** Largest relative L2 distance to the reference over all rows of a call, and why not less. */
export const expertTolerance: Readonly<Record<WeightDtype, { bound: number; reason: string }>> = {
  f32: { bound: 1e-5, reason: "f32 sums in another order" },
  f16: { bound: 1e-5, reason: "as f32" },
  bf16: { bound: 1e-3, reason: "a sum near a tie rounds to the other bf16 neighbour" },
  q8: quantised,
  q4: quantised,
};

/** Rows in a call: one, and one past the tile sizes that kernels like. */
const rowCounts = [1, 2, 5, 9, 17, 33];

interface TwinCase {
  readonly model: ModelConfig;
  readonly dtypes: readonly WeightDtype[];
}

const twinCases: readonly TwinCase[] = [
  { model: tinyModel({ numExperts: 3 }), dtypes: weightDtypes },
  // Not multiples of any vector, tile or block.
  {
    model: tinyModel({ hiddenSize: 40, intermediateSize: 72, numExperts: 2 }),
    dtypes: ["f32", "f16", "bf16"],
  },
  {
    model: tinyModel({ hiddenSize: 7, intermediateSize: 3, numExperts: 1, numExpertsPerToken: 1 }),
    dtypes: ["f32", "f16", "bf16"],
  },
  // One block, and odd numbers of blocks and of panels.
  {
    model: tinyModel({ hiddenSize: 32, intermediateSize: 32, numExperts: 2 }),
    dtypes: ["q8", "q4"],
  },
  {
    model: tinyModel({ hiddenSize: 96, intermediateSize: 224, numExperts: 2 }),
    dtypes: weightDtypes,
  },
];

/** One expert of Mixtral 8x7B in one layer. */
const fullWidthModel = tinyModel({
  hiddenSize: 4096,
  intermediateSize: 14_336,
  numLayers: 1,
  numExperts: 1,
  numExpertsPerToken: 1,
});

export function expertTwinTests(open: OpenExpertEngine): void {
  const newPath = scratchDirectory();

  const compare = async (
    model: ModelConfig,
    weightDtype: WeightDtype,
    numRowsOfCalls: readonly number[],
  ) => {
    const weights = await writeSyntheticModel({
      path: newPath(),
      model,
      weightDtype,
      seed: model.hiddenSize,
      parts: "experts",
    });
    const options = {
      model,
      weightDtype,
      weights: [weights],
      expertIds: allExperts(model),
      threads: 2,
    };
    const engine = await open(options);
    const reference = await openReferenceExpertEngine(options);
    for (let layer = 0; layer < model.numLayers; layer++) {
      for (const expertId of options.expertIds) {
        for (const numRows of numRowsOfCalls) {
          const input = expertRows(model, weightDtype, { numRows, seed: numRows + layer });
          const call = { layer, expertId, input };
          const [actual, expected] = [await engine.forward(call), await reference.forward(call)];
          assertClose(decodeActivations(actual), decodeActivations(expected), {
            bound: expertTolerance[weightDtype].bound,
            what: `layer ${layer} expert ${expertId} rows ${numRows}`,
          });
        }
      }
    }
    await engine.close();
    await reference.close();
  };

  for (const { model, dtypes } of twinCases) {
    for (const weightDtype of dtypes) {
      const { bound, reason } = expertTolerance[weightDtype];
      const shape = `${weightDtype} H=${model.hiddenSize} I=${model.intermediateSize}`;
      test(`expert ${shape}: within ${bound} of the reference (${reason})`, () =>
        compare(model, weightDtype, rowCounts));
    }
  }

  for (const weightDtype of ["bf16", "q8", "q4"] as const) {
    const { bound } = expertTolerance[weightDtype];
    const rule = `expert ${weightDtype} at Mixtral's width: within ${bound} of the reference`;
    // Seconds on a machine of its own, most of them the reference's.
    test(rule, { timeout: 120_000 }, () => compare(fullWidthModel, weightDtype, [1]));
  }
}
