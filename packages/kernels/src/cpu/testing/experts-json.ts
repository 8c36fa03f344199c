// An expert engine's options and a call, on a command line.
import { toExpertId, type WeightFile } from "@octet/core";
import { allExperts, expertRows } from "../../conformance/expert-fixture.ts";
import { tinyModel } from "../../conformance/tiny-model.ts";
import type { ExpertCall, ExpertEngineOptions } from "../../expert-engine.ts";

/** The model that the weights must be of. */
export const abandonedModel = tinyModel({ hiddenSize: 128, intermediateSize: 512, numLayers: 1 });

export function formatExperts({ path, sizeBytes, tensors }: WeightFile): string {
  return JSON.stringify({ path, sizeBytes, tensors: [...tensors] });
}

/** What `formatExperts` wrote. */
export function parseExperts(json: string): { options: ExpertEngineOptions; call: ExpertCall } {
  const parsed = JSON.parse(json) as Omit<WeightFile, "tensors"> & {
    tensors: [string, ReturnType<WeightFile["tensors"]["get"]> & object][];
  };
  const weights = { ...parsed, tensors: new Map(parsed.tensors) };
  const model = abandonedModel;
  const weightDtype = "f32";
  return {
    options: { model, weightDtype, weights: [weights], expertIds: allExperts(model), threads: 3 },
    call: {
      layer: 0,
      expertId: toExpertId(3, model.numExperts),
      input: expertRows(model, weightDtype, { numRows: 4, seed: 2 }),
    },
  };
}
