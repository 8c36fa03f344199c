import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { assertSameBits } from "../conformance/compare.ts";
import { expertRows } from "../conformance/expert-fixture.ts";
import { once } from "../conformance/once.ts";
import { scratchDirectory } from "../conformance/scratch-directory.ts";
import { writeSyntheticModel } from "../conformance/synthetic-model.ts";
import { openCpuExpertEngine } from "./cpu-expert-engine.ts";
import { abandonedModel, formatExperts, parseExperts } from "./testing/experts-json.ts";

const newPath = scratchDirectory();
const expertsJson = once(async () => {
  const model = abandonedModel;
  const options = {
    path: newPath(),
    model,
    weightDtype: "f32",
    seed: 3,
    parts: "experts",
  } as const;
  return formatExperts(await writeSyntheticModel(options));
});

/** What the process printed; rejects unless it ended by itself with status 0. */
function runAbandoned(how: string, json: string): Promise<string> {
  const script = fileURLToPath(new URL("testing/abandon-engine.ts", import.meta.url));
  const args = ["--expose-gc", script, json, how];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { timeout: 25_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${how}: ${error.message} (${error.signal})\n${stderr}`));
    });
  });
}

for (const how of ["idle", "terminate-worker", "collect"]) {
  test(`a process ends by itself with an engine left open: ${how}`, async () => {
    expect(await runAbandoned(how, await expertsJson())).toContain(`${how}: done`);
  });
}

test("a process may exit while an engine computes", async () => {
  expect(await runAbandoned("exit-while-computing", await expertsJson())).toBe("");
});

test("opening and closing 200 engines leaves no memory and no thread behind", async () => {
  const { options, call } = parseExperts(await expertsJson());
  const openAndClose = async (times: number) => {
    for (let i = 0; i < times; i++) {
      const engine = await openCpuExpertEngine(options);
      await engine.forward(call);
      await engine.close();
    }
    collectGarbage();
    return process.memoryUsage.rss();
  };
  await openAndClose(50); // until the allocators have what they keep
  const threadsBefore = numThreads();
  const before = await openAndClose(50);
  const after = await openAndClose(200);
  const grownBytes = after - before;
  // One engine's scratch memory alone is 500 KB, its file 6 MB.
  assert(grownBytes < 20e6, `resident memory grew by ${grownBytes} bytes over 200 engines`);
  assert.equal(numThreads(), threadsBefore, "threads are joined by close");
});

test("the event loop turns while an engine computes", async () => {
  const { options, call } = parseExperts(await expertsJson());
  const engine = await openCpuExpertEngine({ ...options, isa: "portable", threads: 1 });
  const input = expertRows(abandonedModel, "f32", { numRows: 1000, seed: 1 });
  const alone = await engine.forward({ ...call, input: { ...input } });
  let settled = false;
  let turns = 0;
  const longCall = engine.forward({ ...call, input }).finally(() => {
    settled = true;
  });
  while (!settled) {
    await new Promise((resolve) => setImmediate(resolve));
    turns += 1;
  }
  assert(turns > 20, `the loop turned ${turns} times during a call`);
  assertSameBits((await longCall).data, alone.data, "a call made with a busy event loop");
  await engine.close();
});

/** Only Linux tells. */
function numThreads(): number {
  return process.platform === "linux" ? readdirSync("/proc/self/task").length : 0;
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
}
