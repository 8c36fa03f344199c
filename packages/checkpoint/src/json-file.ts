// JSON on disk: read with a bound and a schema, written so that it is whole or absent.
import { open, readFile, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { CheckpointError, fromSystemError } from "./checkpoint-error.ts";

/** Larger than any index of tensors: 100,000 names of 100 bytes. */
const jsonBytesMax = 64 * 1024 * 1024;

/** The file's value, or undefined if there is no such file. */
export async function readJsonFile<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await readBounded(path);
  if (text === undefined) return undefined;
  const parsed = schema.safeParse(parseJson(text, path));
  if (parsed.success) return parsed.data;
  throw new CheckpointError(
    "bad-config",
    { file: path },
    { detail: z.prettifyError(parsed.error).replaceAll("\n", " ") },
  );
}

/** Like {@link readJsonFile}, but absence is a "missing-file" error saying what it is for. */
export async function readRequiredJsonFile<T>(
  path: string,
  schema: z.ZodType<T>,
  purpose: string,
): Promise<T> {
  const value = await readJsonFile(path, schema);
  if (value !== undefined) return value;
  throw new CheckpointError(
    "missing-file",
    { file: path },
    { detail: `expected ${purpose}, found no such file` },
  );
}

/** Puts the bytes in place by rename, so that a reader sees the old file or the new, never half. */
export async function writeFileAtomically(path: string, data: Uint8Array | string): Promise<void> {
  const temporary = `${path}.partial`;
  try {
    await using file = await open(temporary, "w");
    await file.writeFile(data);
    await file.sync();
  } catch (error) {
    throw fromSystemError(error, temporary);
  }
  await renameDurably(temporary, path);
}

/** Renames and waits until the folder's entry is on the disk. */
export async function renameDurably(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
    await using folder = await open(dirname(to), "r");
    await folder.sync();
  } catch (error) {
    throw fromSystemError(error, to);
  }
}

async function readBounded(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size <= jsonBytesMax) return await readFile(path, "utf8");
    throw new CheckpointError(
      "bad-config",
      { file: path },
      { detail: `expected at most ${jsonBytesMax} bytes of JSON, found ${size}` },
    );
  } catch (error) {
    const failure = fromSystemError(error, path);
    if (failure.code === "missing-file") return undefined;
    throw failure;
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const detail = `expected JSON, found ${cause instanceof Error ? cause.message : "none"}`;
    throw new CheckpointError("bad-config", { file: path }, { detail, cause });
  }
}
