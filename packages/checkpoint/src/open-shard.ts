import { createHash } from "node:crypto";
import { type FileHandle, open, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  type TensorLocation,
  tensorAlignmentBytes,
  toExpertId,
  type WeightFile,
} from "@octet/core";
import { CheckpointError, fromSystemError, throwIfAborted } from "./checkpoint-error.ts";
import { readJsonFile } from "./json-file.ts";
import { readFully } from "./read-fully.ts";
import {
  isPadding,
  type NamedTensor,
  readSafetensorsHeader,
  type SafetensorsHeader,
} from "./safetensors-header.ts";
import { manifestFileName, type ShardManifest, ShardManifestJson } from "./shard-manifest.ts";
import { type ShardKey, shardTensors } from "./shard-plan.ts";
import { checkTokenizerFiles } from "./tokenizer-files.ts";

/** A shard that has been checked; engines map `weights` themselves. */
export interface OpenedShard {
  readonly manifest: ShardManifest;
  readonly weights: WeightFile;
  /** Absolute. */
  readonly dir: string;
}

/** How thoroughly to check a shard. */
export interface OpenShardOptions {
  /** Whether to read all of the weights and compare their SHA-256. */
  readonly verify: boolean;
  /** Called while verifying. */
  readonly onProgress?: (progress: { doneBytes: number; totalBytes: number }) => void;
  /** Stops verifying with "aborted". */
  readonly signal?: AbortSignal;
}

/** Small enough for two to stay in a cache, large enough that a turn of the event loop is nothing. */
const verifySliceBytes = 1024 * 1024;

/**
 * Opens the shard in `dir`: checks its manifest, the size of its weights, and that their header
 * lists exactly the tensors this part of this model has; with `verify` also the bytes.
 *
 * @returns nothing that needs closing
 * @throws {CheckpointError} "incomplete" for a folder that is no whole shard; "bad-config",
 *   "bad-file", "bad-tensor", "missing-tensor", "foreign-tensor", "missing-file" for one that
 *   contradicts itself; "checksum-mismatch"; "aborted"
 */
export async function openShard(dir: string, options: OpenShardOptions): Promise<OpenedShard> {
  const manifest = await readManifest(dir);
  const path = resolve(dir, manifest.weights.file);
  const handle = await open(path, "r").catch((error: unknown) => {
    throw fromSystemError(error, path);
  });
  try {
    await checkSize(handle, path, manifest);
    const header = await readSafetensorsHeader(handle, path);
    checkTensors(header, path, manifest);
    if (options.verify) await verifyWeights(handle, path, { manifest, options });
    if (manifest.tokenizerFiles !== undefined) {
      await checkTokenizerFiles(dir, manifest.tokenizerFiles);
    }
    const tensors = new Map([...header.tensors].filter(([name]) => !isPadding(name)));
    const weights = { path, sizeBytes: header.sizeBytes, tensors };
    return { manifest, weights, dir: resolve(dir) };
  } finally {
    await handle.close();
  }
}

async function readManifest(dir: string): Promise<ShardManifest> {
  const file = join(dir, manifestFileName);
  const manifest = await readJsonFile(file, ShardManifestJson);
  if (manifest === undefined) {
    const isFolder = (await stat(dir).catch(() => undefined))?.isDirectory() === true;
    const found = isFolder ? "a folder without one" : "no such folder";
    const detail = `expected ${manifestFileName}, which octet shard writes last, found ${found}`;
    throw new CheckpointError("incomplete", { file: dir }, { detail });
  }
  if (manifest.kind === "expert" && manifest.expertId >= manifest.model.numExperts) {
    const { expertId, model } = manifest;
    const detail = `expected expertId below ${model.numExperts}, found ${expertId}`;
    throw new CheckpointError("bad-config", { file }, { detail });
  }
  return manifest;
}

async function checkSize(handle: FileHandle, path: string, manifest: ShardManifest): Promise<void> {
  const expected = manifest.weights.sizeBytes;
  const { size } = await handle.stat();
  if (size === expected) return;
  const detail = `expected ${expected} bytes by the manifest, found ${size}`;
  throw new CheckpointError("bad-file", { file: path }, { detail });
}

/** Manifest, header and model must agree on every tensor, and each must be aligned. */
function checkTensors(header: SafetensorsHeader, file: string, manifest: ShardManifest): void {
  const { model, weightDtype } = manifest;
  const shard: ShardKey =
    manifest.kind === "coordinator"
      ? { kind: "coordinator" }
      : { kind: "expert", expertId: toExpertId(manifest.expertId!, model.numExperts) };
  const expected = shardTensors(model, shard, weightDtype);
  const listed = new Map(manifest.weights.tensors.map((tensor) => [tensor.name, tensor]));
  for (const tensor of expected) {
    const found = header.tensors.get(tensor.name);
    refuseDifference(tensor, found, file);
    if (!isPadding(tensor.name)) refuseUnaligned(tensor.name, found!, file);
    refuseDifference(tensor, listed.get(tensor.name), join(file, "..", manifestFileName));
  }
  const names = new Set(expected.map(({ name }) => name));
  for (const tensor of [...header.tensors.keys(), ...listed.keys()]) {
    if (names.has(tensor)) continue;
    const detail = "expected no such tensor in this shard, found one";
    throw new CheckpointError("foreign-tensor", { file, tensor }, { detail });
  }
}

function refuseDifference(
  expected: NamedTensor,
  found: Pick<NamedTensor, "dtype" | "shape"> | undefined,
  file: string,
): void {
  const say = ({ dtype, shape }: Pick<NamedTensor, "dtype" | "shape">) =>
    `${dtype} [${shape.join(", ")}]`;
  const at = { file, tensor: expected.name };
  if (found === undefined) {
    const detail = `expected ${say(expected)}, found none`;
    throw new CheckpointError("missing-tensor", at, { detail });
  }
  if (say(found) === say(expected)) return;
  const detail = `expected ${say(expected)}, found ${say(found)}`;
  throw new CheckpointError("bad-tensor", at, { detail });
}

function refuseUnaligned(tensor: string, { offsetBytes }: TensorLocation, file: string): void {
  if (offsetBytes % tensorAlignmentBytes === 0) return;
  const detail = `expected a multiple of ${tensorAlignmentBytes} bytes before it, found ${offsetBytes}`;
  throw new CheckpointError("bad-tensor", { file, tensor }, { detail });
}

async function verifyWeights(
  handle: FileHandle,
  path: string,
  { manifest, options }: { manifest: ShardManifest; options: OpenShardOptions },
): Promise<void> {
  const hash = createHash("sha256");
  const totalBytes = manifest.weights.sizeBytes;
  const slices = [0, 1].map(() => new Uint8Array(Math.min(verifySliceBytes, totalBytes)));
  const readAt = async (offsetBytes: number): Promise<Uint8Array> => {
    const slice = slices[(offsetBytes / verifySliceBytes) % 2]!;
    const bytes = slice.subarray(0, Math.min(slice.length, totalBytes - offsetBytes));
    await readFully(handle, bytes, { offsetBytes, file: path });
    return bytes;
  };
  // The next slice is read while this one is hashed.
  let next = readAt(0);
  for (let doneBytes = 0; doneBytes < totalBytes; ) {
    const bytes = await next;
    throwIfAborted(options.signal, path);
    const nextBytes = doneBytes + bytes.length;
    if (nextBytes < totalBytes) next = readAt(nextBytes);
    next.catch(() => {}); // awaited in the next round, unless hashing throws
    hash.update(bytes);
    doneBytes = nextBytes;
    options.onProgress?.({ doneBytes, totalBytes });
  }
  for (const { buffer } of slices) buffer.transfer(0); // not left to the collector
  const found = hash.digest("hex");
  if (found === manifest.weights.sha256) return;
  const detail = `expected SHA-256 ${manifest.weights.sha256}, found ${found}; shard it again`;
  throw new CheckpointError("checksum-mismatch", { file: path }, { detail });
}
