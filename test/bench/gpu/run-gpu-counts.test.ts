import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));

test("--engine webgpu --counts --json prints a line a dtype, and the limits are kept", () => {
  const argv = ["--engine", "webgpu", "--counts", "--json"];
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, ...argv], {
    encoding: "utf8",
  });
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const counts = lines.slice(0, 3);
  expect(lines.map(({ name }) => name)).toEqual([
    "gpu-counts-q4",
    "gpu-counts-q8",
    "gpu-counts-bf16",
    "gpu-prefill-attention-512",
    "gpu-prefill-attention-4096",
    "gpu-event-loop-delay",
  ]);
  for (const line of counts) {
    expect(line).toMatchObject({ met: true, exceeded: [], dispatchesPerLayer: 10 });
    expect(line.weightBytesRatio).toBeCloseTo(1, 2);
  }
  // Sixteen tokens read once what the last of them sees: keys and values of 16 bf16 each.
  const bytesAPosition = 2 * 16 * 2;
  for (const { tokens, cacheBytesRead, met } of lines.slice(3, 5)) {
    const tiles = tokens / 16;
    expect(cacheBytesRead).toBe(((tiles * (tiles + 1)) / 2) * 16 * bytesAPosition);
    expect(met).toBe(true);
  }
  const delay = lines[5];
  process.stderr.write(`event-loop delay beside the GPU thread, p99: ${delay.p99} ms\n`);
  expect(delay.calls).toBeGreaterThan(0);
  expect(delay.looks).toHaveLength(3);
  // The delay's limit is held where nothing else runs, and by gpu-event-loop.test.ts.
  expect(status, stderr).toBe(delay.met ? 0 : 1);
}, 600_000); // a busy machine compiles on SwiftShader for minutes
