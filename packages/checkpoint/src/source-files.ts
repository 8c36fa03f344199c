// The safetensors files of a Hugging Face directory: one, or those an index names.
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { TensorLocation } from "@octet/core";
import { z } from "zod";
import { CheckpointError, fromSystemError } from "./checkpoint-error.ts";
import { readJsonFile } from "./json-file.ts";
import { readSafetensorsHeader, type SafetensorsHeader } from "./safetensors-header.ts";

/** An open weight file whose header has been checked. */
export interface SourceFile {
  readonly path: string;
  /** Its name within the directory. */
  readonly name: string;
  readonly handle: FileHandle;
  readonly header: SafetensorsHeader;
}

/** Where a source tensor lies. */
export interface SourceTensor {
  readonly file: SourceFile;
  readonly location: TensorLocation;
}

const singleName = "model.safetensors";
const indexName = "model.safetensors.index.json";

const Index = z.looseObject({
  weight_map: z.record(
    z.string(),
    // A name and no path: nothing outside the directory is ever read.
    z.string().regex(/^[^/\\]+\.safetensors$/, "expected the name of a .safetensors file"),
  ),
});

/** Opens every weight file of a directory. The caller closes them with {@link closeAll}. */
export async function openSourceFiles(dir: string): Promise<SourceFile[]> {
  const indexPath = join(dir, indexName);
  const index = await readJsonFile(indexPath, Index);
  const single = await openSourceFile(dir, singleName).catch((error: unknown) => {
    if (error instanceof CheckpointError && error.code === "missing-file") return undefined;
    throw error;
  });
  if (index === undefined) {
    if (single !== undefined) return [single];
    const detail = `expected ${singleName} or ${indexName}, found neither`;
    throw new CheckpointError("missing-file", { file: dir }, { detail });
  }
  if (single !== undefined) {
    await single.handle.close();
    const detail = `expected ${singleName} or ${indexName}, found both; remove the stale one`;
    throw new CheckpointError("bad-file", { file: dir }, { detail });
  }
  const files: SourceFile[] = [];
  try {
    for (const name of [...new Set(Object.values(index.weight_map))].sort()) {
      files.push(await openIndexedFile(dir, name));
    }
    checkIndex(new Map(Object.entries(index.weight_map)), files, indexPath);
    return files;
  } catch (error) {
    await closeAll(files);
    throw error;
  }
}

/** Closes the files; call it once. */
export async function closeAll(files: readonly SourceFile[]): Promise<void> {
  await Promise.all(files.map(({ handle }) => handle.close()));
}

/** All tensors of all files by name; {@link openSourceFiles} has made sure each is in one file. */
export function tensorsOf(files: readonly SourceFile[]): Map<string, SourceTensor> {
  return new Map(
    files.flatMap((file) =>
      Array.from(file.header.tensors, ([name, location]) => [name, { file, location }] as const),
    ),
  );
}

async function openIndexedFile(dir: string, name: string): Promise<SourceFile> {
  try {
    return await openSourceFile(dir, name);
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.code !== "missing-file") throw error;
    const detail = `expected this file, which ${indexName} names, found none`;
    throw new CheckpointError("missing-file", { file: join(dir, name) }, { detail, cause: error });
  }
}

async function openSourceFile(dir: string, name: string): Promise<SourceFile> {
  const path = join(dir, name);
  const handle = await open(path, "r").catch((error: unknown) => {
    throw fromSystemError(error, path);
  });
  try {
    return { path, name, handle, header: await readSafetensorsHeader(handle, path) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Index and files must tell the same story, tensor by tensor. */
function checkIndex(
  weightMap: ReadonlyMap<string, string>,
  files: readonly SourceFile[],
  indexPath: string,
): void {
  for (const file of files) {
    for (const tensor of file.header.tensors.keys()) {
      const named = weightMap.get(tensor);
      if (named === file.name) continue;
      const expected = named === undefined ? "no such tensor" : `this tensor in ${named}`;
      const detail = `expected ${expected} by ${indexName}, found it here`;
      throw new CheckpointError("foreign-tensor", { file: file.path, tensor }, { detail });
    }
  }
  const present = tensorsOf(files);
  for (const [tensor, name] of weightMap) {
    if (present.has(tensor)) continue;
    const detail = `expected this tensor in ${name}, found none there`;
    throw new CheckpointError("missing-tensor", { file: indexPath, tensor }, { detail });
  }
}
