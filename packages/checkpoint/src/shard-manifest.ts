// manifest.json: what a shard is, and what its files must be.
import { createHash } from "node:crypto";
import { type ModelConfig, type WeightDtype, weightDtypes } from "@octet/core";
import { z } from "zod";
import { ModelConfigJson, modelToJson } from "./model-config-json.ts";
import type { NamedTensor } from "./safetensors-header.ts";
import { type SourceIdentity, SourceIdentityJson } from "./source-identity.ts";

/** The version this code writes, and the only one it reads. */
export const shardFormatVersion = 2;

/** The name of a shard's manifest, written last: a folder without one is not a shard. */
export const manifestFileName = "manifest.json";

/** A file of tensors as it must be on disk. */
export interface WeightsRecord {
  readonly file: "weights.safetensors";
  readonly sizeBytes: number;
  /** Of the whole file, in hexadecimal. */
  readonly sha256: string;
  /** In the order they lie in the file. */
  readonly tensors: readonly NamedTensor[];
}

/** Another file of the coordinator's shard, copied from the source as it was. */
export interface TokenizerFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** What a shard is: which part of which model, how it is stored, and where it came from. */
export interface ShardManifest {
  readonly formatVersion: typeof shardFormatVersion;
  readonly kind: "coordinator" | "expert";
  /** Present in an expert's shard. */
  readonly expertId?: number;
  /** For people; two models may share it. */
  readonly modelName: string;
  /** The same in all shards of a set, and in no other set: see {@link computeModelDigest}. */
  readonly modelDigest: string;
  readonly model: ModelConfig;
  readonly weightDtype: WeightDtype;
  readonly source: SourceIdentity;
  readonly weights: WeightsRecord;
  /** Present in the coordinator's shard. */
  readonly tokenizerFiles?: readonly TokenizerFile[];
}

/** Of a SHA-256, in hexadecimal. */
export const Sha256Json = z.string().regex(/^[0-9a-f]{64}$/, "expected 64 hexadecimal digits");

/** Parses a {@link WeightDtype}. */
export const WeightDtypeJson = z.enum(weightDtypes);

const sizeBytes = z.number().int().nonnegative();

/** Parses what a schema parses, once its version has been found to be this one. */
export function ofThisVersion<Out>(schema: z.ZodType<Out>): z.ZodType<Out> {
  const version = z.literal(shardFormatVersion, {
    error: ({ input }) =>
      `expected shards of format version ${shardFormatVersion}, found ${input}; ` +
      "shard the model again, with octet shard, into an empty folder",
  });
  return z.looseObject({ formatVersion: version }).pipe(z.any()).pipe(schema);
}

/** Parses a {@link WeightsRecord}. */
export const WeightsRecordJson = z.strictObject({
  file: z.literal("weights.safetensors"),
  sizeBytes,
  sha256: Sha256Json,
  tensors: z.array(
    z.strictObject({
      name: z.string(),
      dtype: z.enum(["f32", "f16", "bf16", "u8"]),
      shape: z.array(z.number().int().positive()),
    }),
  ),
});

const manifestFields = {
  formatVersion: z.literal(shardFormatVersion),
  modelName: z.string().min(1),
  modelDigest: Sha256Json,
  model: ModelConfigJson,
  weightDtype: WeightDtypeJson,
  source: SourceIdentityJson,
  weights: WeightsRecordJson,
};

/** Parses a {@link ShardManifest}. */
export const ShardManifestJson = ofThisVersion(
  z.discriminatedUnion("kind", [
    z.strictObject({
      ...manifestFields,
      kind: z.literal("coordinator"),
      tokenizerFiles: z.array(
        z.strictObject({ name: z.string().regex(/^[\w.]+$/), sizeBytes, sha256: Sha256Json }),
      ),
    }),
    z.strictObject({
      ...manifestFields,
      kind: z.literal("expert"),
      expertId: z.number().int().nonnegative(),
    }),
  ]),
);

/**
 * Names a model by its content: SHA-256 over config, weight dtype and the SHA-256 of every shard's
 * weights, the coordinator's first, then the experts' in ascending id.
 *
 * The same weights give the same digest whatever files they came in. A worker whose manifest has
 * another digest than the coordinator's holds another model, and is refused.
 */
export function computeModelDigest(
  model: ModelConfig,
  weightDtype: WeightDtype,
  weightsSha256: readonly string[],
): string {
  const content = { model: modelToJson(model), weightDtype, weightsSha256 };
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}

/** The manifest as it is written. */
export function manifestToJson(manifest: ShardManifest): string {
  const { formatVersion, kind, expertId, modelName, modelDigest, ...rest } = manifest;
  const head = { formatVersion, kind, expertId, modelName, modelDigest };
  return `${JSON.stringify({ ...head, ...rest, model: modelToJson(manifest.model) }, null, 1)}\n`;
}
