// Sets of shards with random weights, written straight in the layout that engines map.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { WeightsRecord } from "@octet/checkpoint";
import type { ModelConfig, WeightDtype } from "@octet/core";
import { completeShardSet } from "../../../packages/checkpoint/src/complete-shard-set.ts";
import { HashedFileWriter } from "../../../packages/checkpoint/src/hashed-file-writer.ts";
import {
  elementBytes,
  elementCount,
  layoutSafetensors,
  type NamedTensor,
} from "../../../packages/checkpoint/src/safetensors-header.ts";
import {
  folderOf,
  plannedTensors,
  type ShardKey,
  shardsOf,
  shardTensors,
  storedTensors,
} from "../../../packages/checkpoint/src/shard-plan.ts";
import { type Fill, fillsOf } from "./random-weights.ts";

/** A model without a source. */
export interface RandomModel {
  readonly name: string;
  readonly model: ModelConfig;
  readonly weightDtype: "q4" | "q8";
}

const sliceBytes = 16 * 1024 * 1024;

/** What manifests say of where these weights come from. */
export const noSource = { format: "huggingface", layout: "original", files: [] } as const;

/** Bytes of all shards of a set. */
export function shardSetBytes({ model, weightDtype }: RandomModel): number {
  return shardsOf(model)
    .map((shard) => layoutSafetensors(shardTensors(model, shard, weightDtype)).sizeBytes)
    .reduce((total, bytes) => total + bytes, 0);
}

/**
 * Writes a whole set. The index comes last: a folder without one is not whole.
 *
 * @param tokenizerDir whose tokenizer goes into the coordinator's shard
 * @param onShard called with each folder before it is written
 */
export async function writeRandomShardSet(
  random: RandomModel,
  where: { readonly outDir: string; readonly tokenizerDir: string },
  onShard: (folder: string) => void = () => {},
): Promise<void> {
  const { model, weightDtype, name } = random;
  const finished = new Map<string, WeightsRecord>();
  for (const shard of shardsOf(model)) {
    const folder = folderOf(shard);
    onShard(folder);
    finished.set(folder, await writeRandomShard(random, shard, join(where.outDir, folder)));
  }
  await completeShardSet({
    sourceDir: where.tokenizerDir,
    outDir: where.outDir,
    job: { source: noSource, model, weightDtype },
    modelName: name,
    finished,
  });
}

/** Writes the weights of one shard into its folder, which is created. */
export async function writeRandomShard(
  { model, weightDtype }: Pick<RandomModel, "model" | "weightDtype">,
  shard: ShardKey,
  dir: string,
): Promise<WeightsRecord> {
  await mkdir(dir, { recursive: true });
  const tensors = shardTensors(model, shard, weightDtype);
  const fills = fillsByName(model, shard, weightDtype);
  const writer = await HashedFileWriter.create(join(dir, "weights.safetensors"));
  try {
    await writer.write(layoutSafetensors(tensors).bytes);
    for (const tensor of tensors) await writeTensor(writer, tensor, fills.get(tensor.name));
    const { sizeBytes, sha256 } = await writer.finish();
    return { file: "weights.safetensors", sizeBytes, sha256, tensors };
  } finally {
    await writer.discard();
  }
}

function fillsByName(
  model: ModelConfig,
  shard: ShardKey,
  weightDtype: WeightDtype,
): ReadonlyMap<string, Fill> {
  return new Map(
    plannedTensors(model, shard).flatMap((planned) => {
      const fills = fillsOf(planned, weightDtype);
      return storedTensors(planned, weightDtype).map(({ name }, i) => [name, fills[i]!] as const);
    }),
  );
}

/** @param fill undefined for padding, which is zeros */
async function writeTensor(
  writer: HashedFileWriter,
  { dtype, shape }: NamedTensor,
  fill: Fill | undefined,
): Promise<void> {
  let left = elementCount(shape) * elementBytes[dtype];
  const slice = new Uint8Array(Math.min(left, sliceBytes));
  while (left > 0) {
    const bytes = slice.subarray(0, Math.min(left, slice.length));
    fill?.(bytes);
    await writer.write(bytes);
    left -= bytes.length;
  }
}
