// One shard's weights.safetensors: read the source slice by slice, convert, write, hash.
import { join } from "node:path";
import { type ModelConfig, q8BlockSize, type WeightDtype } from "@octet/core";
import { CheckpointError, throwIfAborted } from "./checkpoint-error.ts";
import type { ConversionBuffers } from "./conversion-buffers.ts";
import { decodeWeights } from "./decode-weights.ts";
import { encodeBf16, encodeQ8 } from "./encode-weights.ts";
import { HashedFileWriter } from "./hashed-file-writer.ts";
import { readFully } from "./read-fully.ts";
import { elementBytes, elementCount, layoutSafetensors } from "./safetensors-header.ts";
import type { WeightsRecord } from "./shard-manifest.ts";
import { type PlannedTensor, plannedTensors, type ShardKey, storedTensors } from "./shard-plan.ts";
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
  const planned = plannedTensors(job.model, job.shard);
  const stored = planned.flatMap((tensor) => storedTensors(tensor, job.weightDtype));
  const header = layoutSafetensors(stored);
  const writer = await HashedFileWriter.create(join(job.dir, weightsFileName));
  try {
    await writer.write(header.bytes);
    for (const tensor of planned) await convertTensor(tensor, job, writer);
    const { sizeBytes, sha256 } = await writer.finish();
    return { file: weightsFileName, sizeBytes, sha256, tensors: stored };
  } finally {
    await writer.discard();
  }
}

async function convertTensor(
  tensor: PlannedTensor,
  job: ShardWeightsJob,
  writer: HashedFileWriter,
): Promise<void> {
  const { buffers } = job;
  const { sliceElements } = buffers;
  const slice = job.source.sliceOf(tensor);
  const target = storedTensors(tensor, job.weightDtype);
  const total = elementCount(tensor.shape);
  // Blocks of q8 never straddle two slices: a slice is a multiple of the block, and so is a row.
  for (let done = 0; done < total; done += sliceElements) {
    throwIfAborted(job.signal, job.dir);
    const count = Math.min(sliceElements, total - done);
    const bytes = buffers.source.subarray(0, count * elementBytes[slice.dtype]);
    await readFully(slice.file.handle, bytes, {
      offsetBytes: slice.offsetBytes + done * elementBytes[slice.dtype],
      file: slice.file.path,
      tensor: slice.tensor,
    });
    const badAt = decodeWeights(slice.dtype, bytes, count, buffers.values);
    if (badAt !== undefined) refuseNonFinite(slice, done + badAt, buffers.values.values[badAt]!);
    await writer.write(encodeSlice(target[0]!.dtype, { slice, done, count, buffers }));
    job.onBytes(bytes.length, tensor.name);
  }
  if (target.length === 2) {
    const { buffer } = buffers.scales;
    await writer.write(new Uint8Array(buffer, 0, (total / q8BlockSize) * 2));
  }
}

function encodeSlice(
  dtype: string,
  part: { slice: SourceSlice; done: number; count: number; buffers: ConversionBuffers },
): Uint8Array {
  const { slice, done, count, buffers } = part;
  const { values, encoded, scales } = buffers;
  switch (dtype) {
    case "f32":
      return new Uint8Array(values.values.buffer, 0, count * 4);
    case "bf16": {
      const overflowAt = encodeBf16(values, count, new Uint16Array(encoded.buffer, 0, count));
      if (overflowAt !== undefined) {
        refuseNonFinite(slice, done + overflowAt, values.values[overflowAt]!);
      }
      return encoded.subarray(0, count * 2);
    }
    default: {
      const quants = new Int8Array(encoded.buffer, 0, count);
      encodeQ8(values, count, quants, scales.subarray(done / q8BlockSize));
      return encoded.subarray(0, count);
    }
  }
}

function refuseNonFinite(slice: SourceSlice, indexInSlice: number, value: number): never {
  const element = slice.firstElement + indexInSlice;
  throw new CheckpointError(
    "non-finite",
    { file: slice.file.path, tensor: slice.tensor },
    {
      detail: Number.isFinite(value)
        ? `expected values that fit bf16, found ${value} at element ${element}`
        : `expected finite values, found ${value} at element ${element}`,
    },
  );
}
