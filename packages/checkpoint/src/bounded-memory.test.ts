import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { createTemporaryFolder } from "./testing/temporary-folder.ts";

const script = join(import.meta.dirname, "testing", "shard-sparse-checkpoint.ts");
const memoryBytesMax = 1.5 * 1024 ** 3;

test("the first layers of a 93 GB Mixtral are sharded within 1.5 GiB of memory", {
  timeout: 120_000,
}, async () => {
  const stopBytes = 1e9;
  const args = [script, createTemporaryFolder(), String(stopBytes)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 110_000 });
  const found = JSON.parse(stdout) as Record<string, number | string>;
  expect(found.totalBytes).toBe(93_405_585_408);
  expect(found.doneBytes).toBeGreaterThanOrEqual(stopBytes);
  expect(found.shard).toBe("coordinator");
  expect(found.peakBytes).toBeLessThan(memoryBytesMax);
  // Buffers of 20 MiB and the scales of the largest matrix: far below the limit, and it stays so.
  expect(found.peakBytes).toBeLessThan(400e6);
});
