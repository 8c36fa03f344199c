// The end of a run: what makes finished weights a set of shards.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "./json-file.ts";
import {
  computeModelDigest,
  manifestFileName,
  manifestToJson,
  type ShardManifest,
  shardFormatVersion,
} from "./shard-manifest.ts";
import { folderOf, shardsOf } from "./shard-plan.ts";
import { writeIndexFile } from "./shard-set.ts";
import { type FinishedShards, recordFileName, type ShardingJob } from "./sharding-record.ts";
import { copyTokenizerFiles } from "./tokenizer-files.ts";

/** What identifies a finished set. */
export interface CompletedShardSet {
  readonly modelDigest: string;
  /** The coordinator's, then the experts'. */
  readonly shards: readonly { folder: string; sizeBytes: number; sha256: string }[];
}

/** Manifests, then the index, then the end of the record: each step can be done again. */
export async function completeShardSet(set: {
  sourceDir: string;
  outDir: string;
  job: ShardingJob;
  modelName: string;
  finished: FinishedShards;
}): Promise<CompletedShardSet> {
  const { outDir, job, modelName, finished } = set;
  const { model, weightDtype, source } = job;
  const shards = shardsOf(model).map((shard) => {
    const folder = folderOf(shard);
    return { shard, folder, weights: finished.get(folder)! }; // the caller has written them all
  });
  const modelDigest = computeModelDigest(
    model,
    weightDtype,
    shards.map(({ weights }) => weights.sha256),
  );
  for (const { shard, folder, weights } of shards) {
    const dir = join(outDir, folder);
    const part =
      shard.kind === "coordinator"
        ? { tokenizerFiles: await copyTokenizerFiles(set.sourceDir, dir) }
        : { expertId: shard.expertId };
    const manifest: ShardManifest = {
      formatVersion: shardFormatVersion,
      kind: shard.kind,
      ...part,
      ...{ modelName, modelDigest, model, weightDtype, source, weights },
    };
    await writeFileAtomically(join(dir, manifestFileName), manifestToJson(manifest));
  }
  const entries = shards.map(({ folder, weights }) => {
    return { folder, sizeBytes: weights.sizeBytes, sha256: weights.sha256 };
  });
  await writeIndexFile(
    outDir,
    { modelName, modelDigest, model, weightDtype, source },
    { coordinator: entries[0]!, experts: entries.slice(1) },
  );
  await rm(join(outDir, recordFileName), { force: true });
  return { modelDigest, shards: entries };
}
