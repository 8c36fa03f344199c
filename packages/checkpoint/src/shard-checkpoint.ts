// Turns a Hugging Face directory into a set of shards.
import { mkdir, rm } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { isQuantised, type ModelConfig, quantBlockSize, type WeightDtype } from "@octet/core";
import { CheckpointError, fromSystemError, throwIfAborted } from "./checkpoint-error.ts";
import { completeShardSet } from "./complete-shard-set.ts";
import { createConversionBuffers } from "./conversion-buffers.ts";
import { refuseFullDisk } from "./free-disk.ts";
import { readModelConfig } from "./hugging-face-config.ts";
import { lockOutput } from "./output-lock.ts";
import { manifestFileName } from "./shard-manifest.ts";
import { folderOf, plannedTensors, type ShardKey, shardsOf } from "./shard-plan.ts";
import { indexFileName } from "./shard-set.ts";
import {
  type FinishedShards,
  readFinishedShards,
  type ShardingJob,
  writeFinishedShards,
} from "./sharding-record.ts";
import { openSourceCheckpoint, type SourceCheckpoint } from "./source-checkpoint.ts";
import { identifySource } from "./source-identity.ts";
import { sourceBytes, writeShardWeights } from "./write-shard-weights.ts";

/** What to shard, and how. */
export interface ShardOptions {
  /** A Hugging Face directory of a MixtralForCausalLM. */
  readonly sourceDir: string;
  /** Created if need be; else empty, or left by a run of the same source and dtype. */
  readonly outDir: string;
  readonly weightDtype: WeightDtype;
  /** For people; the source folder's name unless given. */
  readonly modelName?: string;
  readonly onProgress?: (progress: ShardProgress) => void;
  /** Stops the run after the slice it is at; finished shards stay for the next run. */
  readonly signal?: AbortSignal;
  /** Most memory the process may take; the run takes far less, and refuses if it cannot. */
  readonly memoryBytesMax?: number;
}

/** How far a run has come, in bytes of the source; each shard takes its own part of it. */
export interface ShardProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** The folder being written, "expert-03". */
  readonly shard: string;
  readonly tensor: string;
  /** 0-based, of numShards. */
  readonly shardIndex: number;
  readonly numShards: number;
}

/** What a run left behind. */
export interface ShardReport {
  /** Absolute. */
  readonly outDir: string;
  readonly modelName: string;
  readonly modelDigest: string;
  readonly model: ModelConfig;
  readonly weightDtype: WeightDtype;
  /** The coordinator's, then the experts'; `reused` was finished by an earlier run. */
  readonly shards: readonly {
    folder: string;
    sizeBytes: number;
    sha256: string;
    reused: boolean;
  }[];
}

const defaultMemoryBytesMax = 1.5 * 1024 ** 3;

/**
 * Writes one coordinator shard and one shard per expert, then their manifests, then octet.json.
 *
 * Shard by shard, layer by layer: every source byte is read once, in the long runs it lies in (an
 * expert's matrices are neighbours in published checkpoints), one file is open for writing, and an
 * interrupted run loses at most the shard it was at. Memory does not grow with the model beyond a
 * sixteenth of its largest matrix.
 *
 * @throws {CheckpointError} naming file, tensor, expected and found; nothing half-written is left
 *   that opens as a shard
 */
export async function shardCheckpoint(options: ShardOptions): Promise<ShardReport> {
  const { sourceDir, weightDtype, signal } = options;
  const outDir = resolve(options.outDir);
  throwIfAborted(signal, outDir);
  const model = await readModelConfig(sourceDir);
  refuseUnevenBlocks(model, weightDtype, sourceDir);
  await using source = await openSourceCheckpoint(sourceDir, model);
  await createFolder(outDir);
  await using _lock = await lockOutput(outDir);
  const job = { source: await identifySource(source), model, weightDtype };
  const earlier = await readFinishedShards(outDir, job);
  const { finished } = earlier;
  const reused = new Set(finished.keys());
  if (reused.size < shardsOf(model).length) {
    // From here on the set is not whole, so it must not be found by its index.
    await writeFinishedShards(outDir, job, finished);
    await rm(join(outDir, indexFileName), { force: true });
    await refuseFullDisk(job, outDir, finished);
    await writeShards({ source, job, outDir, finished, options });
  }
  const modelName = options.modelName ?? earlier.modelName ?? basename(resolve(sourceDir));
  const set = await completeShardSet({ sourceDir, outDir, job, modelName, finished });
  const shards = set.shards.map((shard) => ({ ...shard, reused: reused.has(shard.folder) }));
  return { outDir, modelName, modelDigest: set.modelDigest, model, weightDtype, shards };
}

async function createFolder(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true }).catch((error: unknown) => {
    throw fromSystemError(error, dir);
  });
}

function refuseUnevenBlocks(model: ModelConfig, weightDtype: WeightDtype, sourceDir: string): void {
  if (!isQuantised(weightDtype)) return;
  const widths = {
    hidden_size: model.hiddenSize,
    intermediate_size: model.intermediateSize,
    "num_attention_heads × head_dim": model.numAttentionHeads * model.headDim,
  };
  for (const [name, width] of Object.entries(widths)) {
    if (width % quantBlockSize === 0) continue;
    const expected = `expected ${name} divisible by ${quantBlockSize}`;
    const detail = `${weightDtype}: ${expected}, found ${width}; use bf16`;
    throw new CheckpointError("unsupported-dtype", { file: sourceDir }, { detail });
  }
}

/** Writes the shards that `finished` lacks, adding each to it once it is on the disk. */
async function writeShards(run: {
  source: SourceCheckpoint;
  job: ShardingJob;
  outDir: string;
  finished: FinishedShards;
  options: ShardOptions;
}): Promise<void> {
  const { source, job, outDir, finished, options } = run;
  const { model, weightDtype } = job;
  const shards = shardsOf(model);
  const bytesOf = (shard: ShardKey) => sourceBytes(source, model, shard);
  const totalBytes = shards.reduce((total, shard) => total + bytesOf(shard), 0);
  const buffers = createConversionBuffers(
    shards.slice(0, 2).flatMap((shard) => plannedTensors(model, shard)),
    {
      weightDtype,
      memoryBytesMax: options.memoryBytesMax ?? defaultMemoryBytesMax,
      file: options.sourceDir,
    },
  );
  let doneBytes = 0;
  for (const [shardIndex, shard] of shards.entries()) {
    const folder = folderOf(shard);
    if (finished.has(folder)) {
      doneBytes += bytesOf(shard);
      continue;
    }
    const dir = join(outDir, folder);
    await createFolder(dir);
    await rm(join(dir, manifestFileName), { force: true });
    const onBytes = (bytes: number, tensor: string) => {
      doneBytes += bytes;
      const at = { shard: folder, tensor, shardIndex, numShards: shards.length };
      options.onProgress?.({ doneBytes, totalBytes, ...at });
    };
    const { signal } = options;
    const work = { source, model, weightDtype, shard, dir, buffers, signal, onBytes };
    finished.set(folder, await writeShardWeights(work));
    await writeFinishedShards(outDir, job, finished);
  }
}
