import { statfs } from "node:fs/promises";
import { CheckpointError } from "./checkpoint-error.ts";
import { layoutSafetensors } from "./safetensors-header.ts";
import { folderOf, shardsOf, shardTensors } from "./shard-plan.ts";
import type { FinishedShards, ShardingJob } from "./sharding-record.ts";

/** Says so at once rather than after an hour. Space that other programs take later is caught. */
export async function refuseFullDisk(
  job: ShardingJob,
  outDir: string,
  finished: FinishedShards,
): Promise<void> {
  const neededBytes = shardsOf(job.model)
    .filter((shard) => !finished.has(folderOf(shard)))
    .map((shard) => layoutSafetensors(shardTensors(job.model, shard, job.weightDtype)))
    .reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  const { bavail, bsize } = await statfs(outDir);
  const freeBytes = bavail * bsize;
  if (freeBytes >= neededBytes) return;
  const detail = `expected ${neededBytes} bytes free for what is to write, found ${freeBytes}`;
  throw new CheckpointError("disk-full", { file: outDir }, { detail });
}
