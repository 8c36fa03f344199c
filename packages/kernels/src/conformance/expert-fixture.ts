// An expert engine on a synthetic model, and rows to send it.
import {
  type ActivationRows,
  activationRowBytes,
  dispatchDtype,
  type ExpertId,
  type ModelConfig,
  toExpertId,
  type WeightDtype,
} from "@octet/core";
import type { ExpertEngine } from "../expert-engine.ts";
import { encodeActivations } from "../reference/activation-rows.ts";
import type { OpenExpertEngine } from "./expert-engine-conformance.ts";
import { normalValues, seededRandom } from "./seeded-random.ts";
import { type SyntheticModelOptions, writeSyntheticModel } from "./synthetic-model.ts";

/** The dtypes every engine computes in. */
export const weightDtypes: readonly WeightDtype[] = ["f32", "bf16", "q8"];

/** Writes a model's experts and opens them all, unless told which. */
export async function openExperts(
  open: OpenExpertEngine,
  options: SyntheticModelOptions & { expertIds?: readonly ExpertId[]; threads?: number },
): Promise<ExpertEngine> {
  const { model, weightDtype, expertIds = allExperts(model), threads = 1 } = options;
  const weights = await writeSyntheticModel({ parts: "experts", ...options });
  return open({ model, weightDtype, weights, expertIds, threads });
}

/** 0 .. E - 1. */
export function allExperts(model: ModelConfig): ExpertId[] {
  return Array.from({ length: model.numExperts }, (_, id) => toExpertId(id, model.numExperts));
}

/** [numRows, H] of seeded normal values as an expert receives them. */
export function expertRows(
  model: ModelConfig,
  weightDtype: WeightDtype,
  { numRows, seed }: { numRows: number; seed: number },
): ActivationRows {
  const values = normalValues(seededRandom(seed), numRows * model.hiddenSize);
  return encodeActivations(values, model.hiddenSize, dispatchDtype(weightDtype));
}

/** Rows `first` .. `end` - 1 of `from`, sharing its memory. */
export function sliceRows(from: ActivationRows, first: number, end: number): ActivationRows {
  const rowBytes = activationRowBytes(from.dtype, from.width);
  return { ...from, rows: end - first, data: from.data.subarray(first * rowBytes, end * rowBytes) };
}
