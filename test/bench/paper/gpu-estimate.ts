// What a GPU should do, from bytes and counts alone. docs/performance.md has the formulas in words.
import type { ModelConfig, WeightDtype } from "@octet/core";
import { costsOf } from "../model/model-costs.ts";

/** A kind of GPU by its data sheet. */
export interface PaperGpu {
  readonly name: string;
  readonly memoryGb: number;
  /** Nominal, in GB/s. */
  readonly bandwidthGbs: number;
}

/** What the estimate assumes besides; the first run on real hardware replaces them. */
export interface PaperAssumptions {
  /** Share of the nominal bandwidth that kernels reach. */
  readonly bandwidthShare: number;
  readonly dispatchMs: number;
  /** From a submit to its result in memory, without the time of its kernels. */
  readonly readBackMs: number;
  /** A small expert call and its answer between two processes. */
  readonly callMs: number;
  /** Dispatches of one layer at the coordinator and at a worker, and of the step's end. */
  readonly dispatches: {
    readonly coordinator: number;
    readonly worker: number;
    readonly finish: number;
  };
  readonly contextTokens: number;
}

/** The assumptions of docs/performance.md. */
export const paperAssumptions: PaperAssumptions = {
  bandwidthShare: 0.5,
  dispatchMs: 0.0064,
  readBackMs: 0.15,
  callMs: 0.1,
  dispatches: { coordinator: 8, worker: 2, finish: 4 },
  contextTokens: 512,
};

/** One step of some sequences, one token each. */
export interface StepQuestion {
  readonly model: ModelConfig;
  readonly dtype: WeightDtype;
  readonly sequences: number;
  /** Whether every service has a GPU of its own, or one holds the whole model. */
  readonly placement: "a GPU a service" | "one GPU";
}

/** Bytes a step reads, and how long it takes. */
export interface StepEstimate {
  /** Of one expert of one layer. */
  readonly expertBytes: number;
  /** Of all weights, keys and values that the step reads, wherever they are. */
  readonly bytes: number;
  readonly stepMs: number;
  readonly tokensPerSecond: number;
  /** What reading those bytes at full bandwidth alone would allow. */
  readonly tokensPerSecondMax: number;
}

/** Distinct experts of a layer that tokens ask, were their choices independent and even. */
export function expertsInUse({ numExperts, numExpertsPerToken }: ModelConfig, tokens: number) {
  return numExperts * (1 - (1 - numExpertsPerToken / numExperts) ** tokens);
}

/** The estimate for one device. */
export function estimateStep(
  gpu: PaperGpu,
  { model, dtype, sequences, placement }: StepQuestion,
  assumed: PaperAssumptions = paperAssumptions,
): StepEstimate {
  const costs = costsOf(model, dtype);
  const oneMatrix = { ...model, numLayers: 0 };
  const lmHeadBytes = costsOf(oneMatrix, dtype).sharedBytes;
  const kvBytes = (sequences * assumed.contextTokens * costs.kvBytes) / model.numLayers;
  const layerBytes = (costs.sharedBytes - lmHeadBytes) / model.numLayers + kvBytes;
  const used = expertsInUse(model, sequences);
  // On GPUs of their own the experts in use compute at the same time.
  const serial = placement === "one GPU" ? used : 1;

  const msOf = (bytes: number) => bytes / (assumed.bandwidthShare * gpu.bandwidthGbs * 1e6);
  const { dispatches, dispatchMs, readBackMs, callMs } = assumed;
  const coordinatorMs = msOf(layerBytes) + dispatches.coordinator * dispatchMs + readBackMs;
  const workerMs = serial * (msOf(costs.expertBytes) + dispatches.worker * dispatchMs) + readBackMs;
  const lastMs = msOf(lmHeadBytes) + dispatches.finish * dispatchMs + readBackMs;
  const stepMs = model.numLayers * (coordinatorMs + callMs + workerMs) + lastMs;

  const criticalBytes = model.numLayers * (layerBytes + serial * costs.expertBytes) + lmHeadBytes;
  return {
    expertBytes: costs.expertBytes,
    bytes: model.numLayers * (layerBytes + used * costs.expertBytes) + lmHeadBytes,
    stepMs,
    tokensPerSecond: (1000 * sequences) / stepMs,
    tokensPerSecondMax: (sequences * gpu.bandwidthGbs * 1e9) / criticalBytes,
  };
}

/**
 * Bytes of keys and values that attention of a whole prompt reads, in all layers, when so many
 * tokens share what is read and no cache keeps anything.
 */
export function prefillCacheBytes(model: ModelConfig, tokens: number, tokensAtOnce: number) {
  let positions = 0;
  for (let end = tokensAtOnce; end < tokens + tokensAtOnce; end += tokensAtOnce) {
    positions += Math.min(end, tokens);
  }
  const { numLayers, numKeyValueHeads, headDim } = model;
  return positions * numLayers * 2 * numKeyValueHeads * headDim * 2;
}
