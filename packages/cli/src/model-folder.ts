// From what a user names (a checkpoint or a set of shards) to shards that services can open.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import {
  readShardSet,
  type ShardSetIndex,
  shardCheckpoint,
  shardFormatVersion,
} from "@octet/checkpoint";
import type { WeightDtype } from "@octet/core";
import { CommandError, exitCodes } from "./exit-codes.ts";
import { formatBytes } from "./format.ts";
import { createShardDisplay } from "./shard-display.ts";

/** Checkpoints up to this size are sharded without being asked; larger ones take disk and time. */
const shardUnaskedBytesMax = 2e9;

/** The model that a fresh clone brings along. */
export function bundledModelDir(): string {
  return fileURLToPath(new URL("../../../models/octet-tiny", import.meta.url));
}

/** A path as the user meant it: relative to where the command was called. */
export function userPath(path: string): string {
  return isAbsolute(path) ? path : resolve(process.env.OCTET_INVOKED_FROM ?? process.cwd(), path);
}

/**
 * The set of shards for `path`. A folder of shards is taken as it is; a checkpoint is sharded into
 * the user's cache first, once.
 *
 * @throws {CommandError} if `path` is neither, or too large to shard unasked
 */
export async function resolveShardSet(
  path: string,
  options: { dtype: WeightDtype; signal: AbortSignal },
): Promise<ShardSetIndex> {
  const dir = userPath(path);
  if (existsSync(join(dir, "octet.json"))) return readShardSet(dir);
  if (!existsSync(join(dir, "config.json"))) {
    throw new CommandError(
      `${dir}: expected a folder made by "octet shard" (octet.json) or a Hugging Face checkpoint ` +
        "(config.json), found neither",
      { exitCode: exitCodes.usage },
    );
  }
  const bytes = weightBytesIn(dir);
  if (bytes > shardUnaskedBytesMax) {
    throw new CommandError(
      `${dir} holds ${formatBytes(bytes)} of weights. Shard it first, where there is room:\n` +
        `  octet shard ${path} --out DIR --dtype q8\nthen name DIR as the model`,
      { exitCode: exitCodes.usage },
    );
  }
  const outDir = join(cacheDir(), "shards", cacheName(dir, options.dtype));
  const display = createShardDisplay(
    process.stderr,
    `sharding ${basename(dir)} to ${options.dtype}`,
  );
  try {
    await shardCheckpoint({
      sourceDir: dir,
      outDir,
      weightDtype: options.dtype,
      signal: options.signal,
      onProgress: (progress) => display.update(progress.doneBytes, progress.totalBytes),
    });
  } finally {
    display.finish();
  }
  return readShardSet(outDir);
}

function weightBytesIn(dir: string): number {
  return readdirSync(dir)
    .filter((name) => name.endsWith(".safetensors"))
    .reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
}

/** Another name whenever the checkpoint's files change, or the form of shards does. */
function cacheName(dir: string, dtype: string): string {
  const hash = createHash("sha256").update(`${dir}\n${dtype}\n${shardFormatVersion}\n`);
  for (const name of readdirSync(dir).sort()) {
    const { size, mtimeMs } = statSync(join(dir, name));
    hash.update(`${name}:${size}:${mtimeMs}\n`);
  }
  return `${basename(dir)}-${dtype}-${hash.digest("hex").slice(0, 16)}`;
}

/** Where octet keeps what it can make again: $XDG_CACHE_HOME/octet or ~/.cache/octet. */
export function cacheDir(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "octet");
}
