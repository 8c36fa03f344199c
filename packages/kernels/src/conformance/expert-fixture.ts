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
import type { ExpertCall, ExpertEngine } from "../expert-engine.ts";
import { encodeActivations } from "../reference/activation-rows.ts";
import type { OpenExpertEngine } from "./open-engine.ts";
import { normalValues, seededRandom } from "./seeded-random.ts";

/** What a rule is tried on. */
export interface ExpertFixture {
  readonly model: ModelConfig;
  readonly weightDtype: WeightDtype;
  readonly open: OpenExpertEngine;
  /** A path that no file has yet. */
  newPath(): string;
  /** Of engines that must give the same bits. */
  readonly threadCounts: readonly number[];
  /** 37 rows for expert 2 of layer 1. */
  readonly call: ExpertCall;
  /** An engine of every expert on one thread, unless told; the weights are always the same. */
  openEngine(options?: {
    readonly expertIds?: readonly ExpertId[];
    readonly threads?: number;
  }): Promise<ExpertEngine>;
}

/** Of the fixture's weights. */
export const fixtureSeed = 11;

/** Rules by name, and how each is checked. */
export type ExpertRules = Readonly<Record<string, (fixture: ExpertFixture) => Promise<void>>>;

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
