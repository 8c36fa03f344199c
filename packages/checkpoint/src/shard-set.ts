// octet.json: the index of a whole set of shards.
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { ModelConfig, WeightDtype } from "@octet/core";
import { z } from "zod";
import { CheckpointError } from "./checkpoint-error.ts";
import { readJsonFile, writeFileAtomically } from "./json-file.ts";
import { ModelConfigJson, modelToJson } from "./model-config-json.ts";
import {
  ofThisVersion,
  Sha256Json,
  shardFormatVersion,
  WeightDtypeJson,
} from "./shard-manifest.ts";
import { type SourceIdentity, SourceIdentityJson } from "./source-identity.ts";

/** The index's name in the folder of a set. */
export const indexFileName = "octet.json";

/** One shard of a set. */
export interface ShardEntry {
  /** Absolute; what openShard wants. */
  readonly dir: string;
  /** Of weights.safetensors. */
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** A whole model, sharded: what starts a cluster. */
export interface ShardSetIndex {
  readonly formatVersion: typeof shardFormatVersion;
  readonly modelName: string;
  /** The digest that every shard's manifest carries. */
  readonly modelDigest: string;
  readonly model: ModelConfig;
  readonly weightDtype: WeightDtype;
  readonly source: SourceIdentity;
  readonly coordinator: ShardEntry;
  /** [E], in ascending expert id. */
  readonly experts: readonly ShardEntry[];
}

const EntryJson = z.strictObject({
  folder: z.string().regex(/^(coordinator|expert-\d{2})$/),
  sizeBytes: z.number().int().nonnegative(),
  sha256: Sha256Json,
});

const IndexJson = ofThisVersion(
  z.strictObject({
    formatVersion: z.literal(shardFormatVersion),
    modelName: z.string().min(1),
    modelDigest: Sha256Json,
    model: ModelConfigJson,
    weightDtype: WeightDtypeJson,
    source: SourceIdentityJson,
    coordinator: EntryJson,
    experts: z.array(EntryJson),
  }),
);

/**
 * Reads the index of the set that `octet shard` left in `outDir`, and checks that every shard's
 * weights are there in full size. Their contents are checked by openShard.
 *
 * @throws {CheckpointError} "incomplete" if there is no index, or a shard is missing or cut short;
 *   "bad-config" for an index of another version or form
 */
export async function readShardSet(outDir: string): Promise<ShardSetIndex> {
  const index = await readIndexFile(outDir);
  if (index === undefined) {
    const detail = `expected ${indexFileName}, which octet shard writes last, found none`;
    throw new CheckpointError("incomplete", { file: outDir }, { detail });
  }
  if (index.experts.length !== index.model.numExperts) {
    const detail = `expected ${index.model.numExperts} experts, found ${index.experts.length}`;
    throw new CheckpointError("bad-config", { file: join(outDir, indexFileName) }, { detail });
  }
  for (const { dir, sizeBytes } of [index.coordinator, ...index.experts]) {
    const file = join(dir, "weights.safetensors");
    const found = await stat(file).catch(() => undefined);
    if (found?.size === sizeBytes) continue;
    const size = found === undefined ? "no file" : `${found.size} bytes`;
    const detail = `expected ${sizeBytes} bytes, found ${size}; run octet shard again`;
    throw new CheckpointError("incomplete", { file }, { detail });
  }
  return index;
}

/** The index alone, unchecked against the shards; undefined if there is none. */
export async function readIndexFile(outDir: string): Promise<ShardSetIndex | undefined> {
  const index = await readJsonFile(join(outDir, indexFileName), IndexJson);
  if (index === undefined) return undefined;
  const toEntry = ({ folder, sizeBytes, sha256 }: z.infer<typeof EntryJson>): ShardEntry => ({
    dir: resolve(outDir, folder),
    sizeBytes,
    sha256,
  });
  return {
    ...index,
    coordinator: toEntry(index.coordinator),
    experts: index.experts.map(toEntry),
  };
}

/** Writes the index; the last step of a run. */
export async function writeIndexFile(
  outDir: string,
  index: Omit<ShardSetIndex, "formatVersion" | "coordinator" | "experts">,
  entries: {
    coordinator: z.infer<typeof EntryJson>;
    experts: readonly z.infer<typeof EntryJson>[];
  },
): Promise<void> {
  const json = {
    formatVersion: shardFormatVersion,
    modelName: index.modelName,
    modelDigest: index.modelDigest,
    model: modelToJson(index.model),
    weightDtype: index.weightDtype,
    source: index.source,
    ...entries,
  };
  await writeFileAtomically(join(outDir, indexFileName), `${JSON.stringify(json, null, 1)}\n`);
}
