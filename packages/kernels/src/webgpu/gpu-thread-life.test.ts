import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { assertSameBits } from "../conformance/compare.ts";
import { scratchDirectory } from "../conformance/scratch-directory.ts";
import { useSwiftShader } from "./device/swiftshader.ts";
import { smallCall, smallExperts } from "./testing/expert-cases.ts";
import { openWebGpuExpertEngine } from "./webgpu-expert-engine.ts";

// SwiftShader computes, and compiles, on the cores that other tests use.
vi.setConfig({ testTimeout: 120_000 });
const newPath = scratchDirectory();

/** What the process printed; rejects unless it ended by itself with status 0. */
function runProcess(how: string, path: string): Promise<string> {
  const script = fileURLToPath(new URL("testing/abandon-gpu-engine.ts", import.meta.url));
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [script, path, how],
      { timeout: 60_000 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`${how}: ${error.message} (${error.signal})\n${stderr}`));
      },
    );
  });
}

for (const how of ["leave", "close"]) {
  test(`a process ends by itself once its calls are answered: ${how}`, {
    timeout: 60_000,
  }, async () => {
    expect(await runProcess(how, newPath())).toBe(`${how}: done\n`);
  });
}

test("a process may exit while the GPU thread computes", async () => {
  expect(await runProcess("exit-while-computing", newPath())).toBe("");
});

test("the event loop turns freely while the GPU thread computes", async () => {
  useSwiftShader(process.env);
  const options = await smallExperts(newPath(), "f32");
  const engine = await openWebGpuExpertEngine({ ...options, allowSoftwareAdapter: true });
  const call = smallCall("f32", { numRows: 1000 });
  const alone = await engine.forward(call);
  let isSettled = false;
  let turns = 0;
  const longCall = engine.forward(call).finally(() => {
    isSettled = true;
  });
  while (!isSettled) {
    await new Promise((resolve) => setImmediate(resolve));
    turns += 1;
  }
  assert(turns > 20, `the loop turned ${turns} times during a call`);
  assertSameBits((await longCall).data, alone.data, "a call made with a busy event loop");
  await engine.close();
});
