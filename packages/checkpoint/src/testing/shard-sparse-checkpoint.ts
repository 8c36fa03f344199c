// Run as a process of its own: makes a checkpoint of Mixtral 8x7B's true shape from sparse files,
// shards it until `stopBytes` of the source are done, and prints how much memory that took.
// Usage: node shard-sparse-checkpoint.ts FOLDER STOP_BYTES
import assert from "node:assert/strict";
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { CheckpointError } from "../checkpoint-error.ts";
import { type ShardProgress, shardCheckpoint } from "../shard-checkpoint.ts";
import { shapesOf, tinyConfig } from "./synthetic-checkpoint.ts";

const mixtral8x7B = {
  ...tinyConfig,
  hidden_size: 4096,
  intermediate_size: 14336,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  head_dim: 128,
  num_local_experts: 8,
  vocab_size: 32000,
  max_position_embeddings: 32768,
  rope_theta: 1e6,
};
const numFiles = 19;

/** As many bytes as the published files, none of them on the disk: bf16 zeros are holes. */
function writeSparse(dir: string): void {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "config.json"), JSON.stringify(mixtral8x7B));
  const entries = [...shapesOf(mixtral8x7B)];
  const perFile = Math.ceil(entries.length / numFiles);
  const weightMap: Record<string, string> = {};
  for (let i = 0; i < numFiles; i++) {
    const name = `model-${String(i + 1).padStart(5, "0")}-of-000${numFiles}.safetensors`;
    let end = 0;
    const header: Record<string, unknown> = {};
    for (const [tensor, shape] of entries.slice(i * perFile, (i + 1) * perFile)) {
      const begin = end;
      end += shape.reduce((count, size) => count * size, 2);
      header[tensor] = { dtype: "BF16", shape, data_offsets: [begin, end] };
      weightMap[tensor] = name;
    }
    const json = Buffer.from(JSON.stringify(header));
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(BigInt(json.length));
    const file = openSync(join(dir, name), "w");
    writeSync(file, Buffer.concat([prefix, json]));
    ftruncateSync(file, 8 + json.length + end);
    closeSync(file);
  }
  const index = JSON.stringify({ weight_map: weightMap });
  writeFileSync(join(dir, "model.safetensors.index.json"), index);
}

/** The kernel's own account of the most memory this process has held. */
function peakBytes(): number {
  // maxRSS may include the parent's memory from before exec; Linux has a count that does not.
  const status = existsSync("/proc/self/status") ? readFileSync("/proc/self/status", "utf8") : "";
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS;
  return Number(kibibytes) * 1024;
}

const [folder, stopText] = process.argv.slice(2);
assert(folder !== undefined && stopText !== undefined, "usage: FOLDER STOP_BYTES");
const stopBytes = Number(stopText);
const sourceDir = join(folder, "mixtral-8x7b");
writeSparse(sourceDir);
const stop = new AbortController();
let last: ShardProgress | undefined;
const started = performance.now();
const run = shardCheckpoint({
  sourceDir,
  outDir: join(folder, "out"),
  weightDtype: "q8",
  signal: stop.signal,
  onProgress: (progress) => {
    last = progress;
    if (progress.doneBytes >= stopBytes) stop.abort();
  },
});
await run.catch((error: unknown) => {
  if (!(error instanceof CheckpointError) || error.code !== "aborted") throw error;
});
const ms = Math.round(performance.now() - started);
process.stdout.write(JSON.stringify({ ...last, peakBytes: peakBytes(), ms }));
