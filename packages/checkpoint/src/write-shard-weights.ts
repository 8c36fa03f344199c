// One shard's weights.safetensors: read the source slice by slice, convert, write, hash.
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  isQuantised,
  type ModelConfig,
  panelRows,
  quantBlockSize,
  type StoredDtype,
  tensorAlignmentBytes,
  type WeightDtype,
} from "@octet/core";
import { CheckpointError, throwIfAborted } from "./checkpoint-error.ts";
import type { ConversionBuffers } from "./conversion-buffers.ts";
import { decodeWeights } from "./decode-weights.ts";
import { encodeBf16 } from "./encode-bf16.ts";
import { encodeF16 } from "./encode-f16.ts";
import { encodePanels } from "./encode-panels.ts";
import { HashedFileWriter } from "./hashed-file-writer.ts";
import { readFully } from "./read-fully.ts";
import { elementBytes, elementCount, layoutSafetensors } from "./safetensors-header.ts";
import type { WeightsRecord } from "./shard-manifest.ts";
import {
  matrixShape,
  type PlannedTensor,
  plannedTensors,
  type ShardKey,
  shardTensors,
  storedTensors,
} from "./shard-plan.ts";
import type { SourceCheckpoint, SourceSlice } from "./source-checkpoint.ts";

const weightsFileName = "weights.safetensors";

/** What to write, and where to. */
export interface ShardWeightsJob {
  readonly source: SourceCheckpoint;
  readonly model: ModelConfig;
  readonly weightDtype: WeightDtype;
  readonly shard: ShardKey;
  /** The shard's folder; it exists. */
  readonly dir: string;
  readonly buffers: ConversionBuffers;
  readonly signal: AbortSignal | undefined;
  /** Called after each slice with the source bytes it took. */
  readonly onBytes: (bytes: number, tensor: string) => void;
}

/** Source bytes that a shard is made from. */
export function sourceBytes(source: SourceCheckpoint, model: ModelConfig, shard: ShardKey): number {
  return plannedTensors(model, shard)
    .map((tensor) => elementCount(tensor.shape) * elementBytes[source.sliceOf(tensor).dtype])
    .reduce((total, bytes) => total + bytes, 0);
}

/**
 * Writes weights.safetensors whole, or leaves it as it was.
 *
 * @throws {CheckpointError} "non-finite", "bad-file", "disk-full", "io-failed", "aborted"
 */
export async function writeShardWeights(job: ShardWeightsJob): Promise<WeightsRecord> {
  const tensors = shardTensors(job.model, job.shard, job.weightDtype);
  const header = layoutSafetensors(tensors);
  const writer = await HashedFileWriter.create(join(job.dir, weightsFileName));
  try {
    await writer.write(header.bytes);
    for (const tensor of plannedTensors(job.model, job.shard)) {
      await convertTensor(tensor, job, writer);
    }
    const { sizeBytes, sha256 } = await writer.finish();
    return { file: weightsFileName, sizeBytes, sha256, tensors };
  } finally {
    await writer.discard();
  }
}

/** The padding that {@link shardTensors} has before a tensor. */
async function writePadding(writer: HashedFileWriter): Promise<void> {
  await writer.write(new Uint8Array(-writer.sizeBytes & (tensorAlignmentBytes - 1)));
}

async function convertTensor(
  tensor: PlannedTensor,
  job: ShardWeightsJob,
  writer: HashedFileWriter,
): Promise<void> {
  const { buffers } = job;
  const slice = job.source.sliceOf(tensor);
  const [target, scales] = storedTensors(tensor, job.weightDtype);
  const total = elementCount(tensor.shape);
  const elementsMax = elementsAtATime(tensor, job);
  await writePadding(writer);
  for (let done = 0; done < total; done += elementsMax) {
    throwIfAborted(job.signal, job.dir);
    const count = Math.min(elementsMax, total - done);
    const bytes = buffers.source.subarray(0, count * elementBytes[slice.dtype]);
    await readFully(slice.file.handle, bytes, {
      offsetBytes: slice.offsetBytes + done * elementBytes[slice.dtype],
      file: slice.file.path,
      tensor: slice.tensor,
    });
    const badAt = decodeWeights(slice.dtype, bytes, count, buffers.values);
    if (badAt !== undefined) {
      const value = buffers.values.values[badAt]!;
      refuseUnfit(slice, done + badAt, { value, dtype: target!.dtype });
    }
    await writer.write(encodeSlice(target!.dtype, { tensor, slice, done, count }, job));
    job.onBytes(bytes.length, tensor.name);
  }
  if (scales === undefined) return;
  await writePadding(writer);
  const { buffer } = buffers.scales;
  await writer.write(new Uint8Array(buffer, 0, elementCount(scales.shape) * 2));
}

/** Whole panels of a quantised matrix: they are made from all columns of their rows. */
function elementsAtATime(tensor: PlannedTensor, { weightDtype, buffers }: ShardWeightsJob): number {
  const { sliceElements } = buffers;
  if (tensor.role !== "matrix" || !isQuantised(weightDtype)) return sliceElements;
  const [, columns] = matrixShape(tensor);
  return sliceElements - (sliceElements % (panelRows * columns));
}

function encodeSlice(
  dtype: StoredDtype,
  part: { tensor: PlannedTensor; slice: SourceSlice; done: number; count: number },
  { weightDtype, buffers }: ShardWeightsJob,
): Uint8Array {
  const { tensor, slice, done, count } = part;
  const { values, encoded, scales } = buffers;
  if (dtype === "f32") return new Uint8Array(values.values.buffer, 0, count * 4);
  if (dtype === "bf16" || dtype === "f16") {
    const encode = dtype === "bf16" ? encodeBf16 : encodeF16;
    const overflowAt = encode(values, count, new Uint16Array(encoded.buffer, 0, count));
    if (overflowAt !== undefined) {
      refuseUnfit(slice, done + overflowAt, { value: values.values[overflowAt]!, dtype });
    }
    return encoded.subarray(0, count * 2);
  }
  assert(isQuantised(weightDtype), `${tensor.name} is quantised`);
  const [, columns] = matrixShape(tensor);
  return encodePanels(weightDtype, values, {
    shape: [count / columns, columns],
    quants: encoded,
    scales: scales.subarray(done / quantBlockSize),
  });
}

function refuseUnfit(
  slice: SourceSlice,
  indexInSlice: number,
  { value, dtype }: { readonly value: number; readonly dtype: StoredDtype },
): never {
  const element = slice.firstElement + indexInSlice;
  throw new CheckpointError(
    "non-finite",
    { file: slice.file.path, tensor: slice.tensor },
    {
      detail: Number.isFinite(value)
        ? `expected values that fit ${dtype}, found ${value} at element ${element}`
        : `expected finite values, found ${value} at element ${element}`,
    },
  );
}
