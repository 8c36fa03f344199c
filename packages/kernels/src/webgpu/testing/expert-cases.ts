// A small expert model of whole blocks, for tests of how the GPU engine lives.
import { toExpertId, type WeightDtype } from "@octet/core";
import { allExperts, expertRows } from "../../conformance/expert-fixture.ts";
import { writeSyntheticModel } from "../../conformance/synthetic-model.ts";
import { tinyModel } from "../../conformance/tiny-model.ts";
import type { ExpertCall, ExpertEngineOptions } from "../../expert-engine.ts";

export const smallModel = tinyModel({ hiddenSize: 64, intermediateSize: 96, numExperts: 2 });

/** What to open the engine of both experts with; the file is written at `path`. */
export async function smallExperts(
  path: string,
  weightDtype: WeightDtype,
): Promise<ExpertEngineOptions> {
  const written = { path, model: smallModel, weightDtype, seed: 3, parts: "experts" } as const;
  return {
    model: smallModel,
    weightDtype,
    weights: [await writeSyntheticModel(written)],
    expertIds: allExperts(smallModel),
    threads: 1,
  };
}

/** Rows for one of them. */
export function smallCall(
  weightDtype: WeightDtype,
  { numRows = 1, layer = 0, expert = 0 } = {},
): ExpertCall {
  return {
    layer,
    expertId: toExpertId(expert, smallModel.numExperts),
    input: expertRows(smallModel, weightDtype, { numRows, seed: 7 }),
  };
}
