// The files beside the weights that the coordinator needs: copied as they are, with their hashes.
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { CheckpointError, fromSystemError } from "./checkpoint-error.ts";
import { writeFileAtomically } from "./json-file.ts";
import type { TokenizerFile } from "./shard-manifest.ts";

const names = [
  "tokenizer.json",
  "tokenizer_config.json",
  "generation_config.json",
  "special_tokens_map.json",
  "chat_template.jinja",
];

/** Far above any tokenizer: 256,000 tokens take about 35 MB of JSON. */
const tokenizerBytesMax = 256 * 1024 * 1024;

/** Copies those of the five that the source has. */
export async function copyTokenizerFiles(from: string, to: string): Promise<TokenizerFile[]> {
  const copied: TokenizerFile[] = [];
  for (const name of names) {
    const bytes = await readIfPresent(join(from, name));
    if (bytes === undefined) continue;
    await writeFileAtomically(join(to, name), bytes);
    copied.push({ name, sizeBytes: bytes.length, sha256: sha256Of(bytes) });
  }
  return copied;
}

/** @throws {CheckpointError} "checksum-mismatch" or "missing-file" */
export async function checkTokenizerFiles(
  dir: string,
  expected: readonly TokenizerFile[],
): Promise<void> {
  for (const { name, sha256 } of expected) {
    const file = join(dir, name);
    const bytes = await readIfPresent(file);
    if (bytes === undefined) {
      const detail = "expected a file that the manifest lists, found none";
      throw new CheckpointError("missing-file", { file }, { detail });
    }
    const found = sha256Of(bytes);
    if (found === sha256) continue;
    const detail = `expected SHA-256 ${sha256}, found ${found}`;
    throw new CheckpointError("checksum-mismatch", { file }, { detail });
  }
}

async function readIfPresent(file: string): Promise<Uint8Array | undefined> {
  try {
    const { size } = await stat(file);
    if (size <= tokenizerBytesMax) return await readFile(file);
    const detail = `expected at most ${tokenizerBytesMax} bytes, found ${size}`;
    throw new CheckpointError("bad-file", { file }, { detail });
  } catch (error) {
    const failure = fromSystemError(error, file);
    if (failure.code === "missing-file") return undefined;
    throw failure;
  }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
