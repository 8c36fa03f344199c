// The memory of a run: allocated once, whatever the model's size.
import assert from "node:assert/strict";
import { q8BlockSize, type WeightDtype } from "@octet/core";
import { CheckpointError } from "./checkpoint-error.ts";
import { createF32Scratch, type F32Scratch } from "./decode-weights.ts";
import { elementCount } from "./safetensors-header.ts";
import type { PlannedTensor } from "./shard-plan.ts";

/** 4 MiB of bf16 at a time: large enough for any disk's sequential speed. */
const defaultSliceElements = 2 * 1024 * 1024;

/** What the process holds besides these buffers: the runtime, headers, plans. */
const runtimeBytes = 256 * 1024 * 1024;

/** Memory that every tensor of a run passes through. */
export interface ConversionBuffers {
  /** Elements converted at a time; a multiple of {@link q8BlockSize}. */
  readonly sliceElements: number;
  readonly source: Uint8Array;
  readonly values: F32Scratch;
  /** bf16, or the quants of q8; f32 needs no place of its own. */
  readonly encoded: Uint8Array;
  /** The scales of a whole q8 matrix: they follow its quants in the file. */
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
  const sliceElements = limits.sliceElements ?? defaultSliceElements;
  assert(sliceElements % q8BlockSize === 0, `slices of ${sliceElements} split a block`);
  const blocksMax = planned
    .filter(({ role }) => role === "matrix" && limits.weightDtype === "q8")
    .reduce((most, { shape }) => Math.max(most, elementCount(shape) / q8BlockSize), 0);
  const bytes = sliceElements * (4 + 4 + 2) + blocksMax * 2;
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
    scales: new Uint16Array(blocksMax),
  };
}
