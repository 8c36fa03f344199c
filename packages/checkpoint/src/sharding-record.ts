// octet.partial.json: what an unfinished run was doing, and which shards it has finished.
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ModelConfig, WeightDtype } from "@octet/core";
import { z } from "zod";
import { CheckpointError } from "./checkpoint-error.ts";
import { readJsonFile, writeFileAtomically } from "./json-file.ts";
import { ModelConfigJson, modelToJson } from "./model-config-json.ts";
import {
  manifestFileName,
  ofThisVersion,
  ShardManifestJson,
  shardFormatVersion,
  WeightDtypeJson,
  type WeightsRecord,
  WeightsRecordJson,
} from "./shard-manifest.ts";
import { folderOf, shardsOf } from "./shard-plan.ts";
import { indexFileName, readIndexFile } from "./shard-set.ts";
import { type SourceIdentity, SourceIdentityJson } from "./source-identity.ts";

/** The record's name in the output folder; gone once the set is whole. */
export const recordFileName = "octet.partial.json";

/** What decides a set's bytes. */
export interface ShardingJob {
  readonly source: SourceIdentity;
  readonly model: ModelConfig;
  readonly weightDtype: WeightDtype;
}

/** Finished shards by folder. */
export type FinishedShards = Map<string, WeightsRecord>;

const RecordJson = ofThisVersion(
  z.strictObject({
    formatVersion: z.literal(shardFormatVersion),
    source: SourceIdentityJson,
    model: ModelConfigJson,
    weightDtype: WeightDtypeJson,
    finished: z.record(z.string(), WeightsRecordJson),
  }),
);

/**
 * The shards that earlier runs of the same job have finished in `outDir`, if their weights are
 * still there in full size; and the name the set was given.
 *
 * @throws {CheckpointError} "output-differs" if the folder holds another job's shards, or files
 *   that are no shards
 */
export async function readFinishedShards(
  outDir: string,
  job: ShardingJob,
): Promise<{ finished: FinishedShards; modelName: string | undefined }> {
  const recordPath = join(outDir, recordFileName);
  const record = await readJsonFile(recordPath, RecordJson);
  const index = await readIndexFile(outDir);
  if (record !== undefined) {
    refuseOtherJob(record, job, recordPath);
    const finished = await keepWhole(Object.entries(record.finished), outDir);
    return { finished, modelName: index?.modelName };
  }
  if (index !== undefined) {
    refuseOtherJob(index, job, join(outDir, indexFileName));
    const finished = await keepWhole(await readManifests(outDir, job), outDir);
    return { finished, modelName: index.modelName };
  }
  // The lock, and what a run that died before its first record may have left.
  const found = (await readdir(outDir)).filter((name) => !name.startsWith("octet."));
  if (found.length > 0) {
    const some = found.slice(0, 3).join(", ");
    const detail = `expected an empty folder or a set of shards, found ${some}`;
    throw new CheckpointError("output-differs", { file: outDir }, { detail });
  }
  return { finished: new Map(), modelName: undefined };
}

/** Replaces the record. Call it only once a finished shard's weights are in place. */
export async function writeFinishedShards(
  outDir: string,
  job: ShardingJob,
  finished: FinishedShards,
): Promise<void> {
  const record = {
    formatVersion: shardFormatVersion,
    source: job.source,
    model: modelToJson(job.model),
    weightDtype: job.weightDtype,
    finished: Object.fromEntries(finished),
  };
  await writeFileAtomically(join(outDir, recordFileName), JSON.stringify(record));
}

/** Shards whose weights are still there in full size. */
async function keepWhole(
  finished: Iterable<[folder: string, record: WeightsRecord]>,
  outDir: string,
): Promise<FinishedShards> {
  const whole: FinishedShards = new Map();
  for (const [folder, record] of finished) {
    const found = await stat(join(outDir, folder, record.file)).catch(() => undefined);
    if (found?.size === record.sizeBytes) whole.set(folder, record);
  }
  return whole;
}

/** For a set that was whole once: a shard whose manifest is gone is simply not finished. */
async function readManifests(outDir: string, job: ShardingJob): Promise<FinishedShards> {
  const finished: FinishedShards = new Map();
  for (const folder of shardsOf(job.model).map(folderOf)) {
    const path = join(outDir, folder, manifestFileName);
    const manifest = await readJsonFile(path, ShardManifestJson);
    if (manifest === undefined) continue;
    refuseOtherJob(manifest, job, path);
    finished.set(folder, manifest.weights);
  }
  return finished;
}

function refuseOtherJob(found: ShardingJob, wanted: ShardingJob, file: string): void {
  const refuse = (what: string, has: string, wants: string) => {
    throw new CheckpointError(
      "output-differs",
      { file },
      { detail: `${what}: expected ${wants}, found ${has}; choose another output folder` },
    );
  };
  if (found.weightDtype !== wanted.weightDtype) {
    refuse("shards of another dtype", found.weightDtype, wanted.weightDtype);
  }
  const models = [found.model, wanted.model].map((model) => JSON.stringify(modelToJson(model)));
  if (models[0] !== models[1]) refuse("shards of another model", models[0]!, models[1]!);
  if (found.source.layout !== wanted.source.layout) {
    refuse("shards of another source", found.source.layout, wanted.source.layout);
  }
  const names = [found.source, wanted.source].map(({ files }) => files.map((file) => file.name));
  if (names[0]!.join() !== names[1]!.join()) {
    refuse("shards of another source", names[0]!.join(" "), names[1]!.join(" "));
  }
  for (const [i, file] of wanted.source.files.entries()) {
    const had = found.source.files[i]!;
    if (had.sizeBytes !== file.sizeBytes || had.fingerprint !== file.fingerprint) {
      refuse(`shards of another ${file.name}`, describe(had), describe(file));
    }
  }
}

function describe({ sizeBytes, fingerprint }: SourceIdentity["files"][number]): string {
  return `${sizeBytes} bytes with fingerprint ${fingerprint.slice(0, 12)}`;
}
