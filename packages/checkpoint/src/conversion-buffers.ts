// The memory of a run: allocated once, whatever the model's size.
import { isQuantised, panelRows, quantBlockSize, type WeightDtype } from "@octet/core";
import { CheckpointError } from "./checkpoint-error.ts";
import { createF32Scratch, type F32Scratch } from "./decode-weights.ts";
import { matrixShape, type PlannedTensor } from "./shard-plan.ts";

/** 4 MiB of bf16 at a time: large enough for any disk's sequential speed. */
const defaultSliceElements = 2 * 1024 * 1024;

/** What the process holds besides these buffers: the runtime, headers, plans. */
const runtimeBytes = 256 * 1024 * 1024;

/** Memory that every tensor of a run passes through. */
export interface ConversionBuffers {
  /** Most elements converted at a time: a panel of the widest quantised matrix, or more. */
  readonly sliceElements: number;
  readonly source: Uint8Array;
  readonly values: F32Scratch;
  /** bf16, or quants in panels; f32 needs no place of its own. */
  readonly encoded: Uint8Array;
  /** The scales of a whole quantised matrix: they follow its quants in the file. */
  readonly scales: Uint16Array;
}

/**
 * Allocates buffers for the largest tensor of `model`.
 *
 * @throws {CheckpointError} "too-large" if they do not fit in `memoryBytesMax`
 */
export function createConversionBuffers(
  planned: readonly PlannedTensor[],
  limits: {
    weightDtype: WeightDtype;
    memoryBytesMax: number;
    file: string;
    sliceElements?: number;
  },
): ConversionBuffers {
  const panels = planned
    .filter(({ role }) => role === "matrix" && isQuantised(limits.weightDtype))
    .map(matrixShape)
    .map(([rows, columns]) => ({
      count: Math.ceil(rows / panelRows),
      elements: panelRows * columns,
    }));
  const sliceElements = Math.max(
    limits.sliceElements ?? defaultSliceElements,
    ...panels.map(({ elements }) => elements),
  );
  const scalesMax = Math.max(
    0,
    ...panels.map(({ count, elements }) => count * (elements / quantBlockSize)),
  );
  const bytes = sliceElements * (4 + 4 + 2) + scalesMax * 2;
  if (bytes + runtimeBytes > limits.memoryBytesMax) {
    const detail =
      `expected a memory limit of at least ${bytes + runtimeBytes} bytes for this model, ` +
      `found ${limits.memoryBytesMax}`;
    throw new CheckpointError("too-large", { file: limits.file }, { detail });
  }
  return {
    sliceElements,
    source: new Uint8Array(sliceElements * 4),
    values: createF32Scratch(sliceElements),
    encoded: new Uint8Array(sliceElements * 2),
    scales: new Uint16Array(scalesMax),
  };
}
