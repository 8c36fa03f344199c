// The largest logits of each row, on the device: of every slice of the vocabulary, then of those.

import { dispatchOf } from "./attention-kernels.ts";
import type { Dispatch } from "./device/commands.ts";
import type { AttentionContext } from "./layer-run.ts";

/** Logits that one workgroup looks through. */
const sliceLogits = 1024;

/** What to choose from, and how many of it. */
export interface TopSelection {
  readonly logits: GPUBuffer;
  readonly faults: GPUBuffer;
  readonly numRows: number;
  readonly count: number;
}

/** @returns the dispatches, and where [numRows, count] of (id, logit) will be */
export function topLogitsDispatches(
  { shape, kernels, groups, buffers }: AttentionContext,
  { logits, faults, numRows, count }: TopSelection,
): { dispatches: Dispatch[]; chosen: GPUBuffer } {
  const { vocabSize } = shape.model;
  const slices = Math.ceil(vocabSize / sliceLogits);
  const pairBytes = 8;
  const ofSlices = buffers.get("top of slices", numRows * slices * count * pairBytes);
  const chosen = buffers.get("top logits", numRows * count * pairBytes);
  const dispatches = [
    dispatchOf(kernels.selectLogits, groups, {
      buffers: [logits, ofSlices, faults],
      parameters: Uint32Array.of(vocabSize, shape.logitStride, count, sliceLogits),
      workgroups: [slices, numRows],
    }),
    dispatchOf(kernels.selectChosen, groups, {
      buffers: [ofSlices, chosen, faults],
      parameters: Uint32Array.of(slices * count, slices * count, count, slices * count),
      workgroups: [1, numRows],
    }),
  ];
  return { dispatches, chosen };
}
