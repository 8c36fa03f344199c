import assert from "node:assert/strict";
import { weightDtypes } from "@octet/core";
import { expect, test, vi } from "vitest";
import { assertSameBits } from "../conformance/compare.ts";
import { assertRefuses } from "../conformance/kernel-error-code.ts";
import { scratchDirectory } from "../conformance/scratch-directory.ts";
import type { ExpertCall, ExpertEngine } from "../expert-engine.ts";
import { countsBetween, type GpuCounts } from "./device/counts.ts";
import { useSwiftShader } from "./device/swiftshader.ts";
import { smallCall, smallExperts, smallModel } from "./testing/expert-cases.ts";
import { gpuThreadCounts } from "./thread/thread-host.ts";
import { openWebGpuExpertEngine } from "./webgpu-expert-engine.ts";

// SwiftShader computes, and compiles, on the cores that other tests use.
vi.setConfig({ testTimeout: 600_000 });
useSwiftShader(process.env);
const newPath = scratchDirectory();

/** What the device was asked for by `calls`, made one after the other. */
async function countsOf(engine: ExpertEngine, calls: readonly ExpertCall[]): Promise<GpuCounts> {
  const before = (await gpuThreadCounts())!.counts;
  for (const call of calls) await engine.forward(call);
  return countsBetween(before, (await gpuThreadCounts())!.counts);
}

for (const weightDtype of weightDtypes) {
  test(`expert ${weightDtype}: a warm call is two dispatches, one submission, one read-back`, async () => {
    const options = await smallExperts(newPath(), weightDtype);
    const engine = await openWebGpuExpertEngine({ ...options, allowSoftwareAdapter: true });
    const calls = [0, 1].flatMap((layer) =>
      [0, 1].map((expert) => smallCall(weightDtype, { layer, expert })),
    );
    await countsOf(engine, [...calls, smallCall(weightDtype, { numRows: 4 })]); // until warm
    const decode = await countsOf(engine, [...calls, ...calls, ...calls]);
    assert.deepEqual(decode, {
      dispatches: 2 * 12,
      submits: 12,
      readBacks: 12,
      // Each call reads one of four experts' weights, once.
      weightBytesRead: 12 * (engine.weightBytes / 4),
      cacheBytesRead: 0,
      objectsCreated: 0,
      kernelsCompiled: 0,
    });
    const four = await countsOf(engine, [smallCall(weightDtype, { numRows: 4 })]);
    assert.deepEqual([four.dispatches, four.submits, four.readBacks], [2, 1, 1]);
    assert.equal(four.weightBytesRead, engine.weightBytes / 4, "four rows share what is read");
    const bytes = 3 * smallModel.hiddenSize * smallModel.intermediateSize * 4;
    const perWeight = { f32: 4, f16: 2, bf16: 2, q8: 1 + 2 / 32, q4: 0.5 + 2 / 32 }[weightDtype];
    assert.equal(engine.weightBytes, bytes * perWeight, "as the format says, and no more");
    await engine.close();
  });
}

test("a call of many rows is one submission and one read-back, whatever its pieces", async () => {
  const options = await smallExperts(newPath(), "q8");
  const engine = await openWebGpuExpertEngine({ ...options, allowSoftwareAdapter: true });
  const call = smallCall("q8", { numRows: 600 });
  const found = await countsOf(engine, [call]);
  // Pieces of 256 rows: w1, w3, silu, w2.
  assert.deepEqual([found.dispatches, found.submits, found.readBacks], [3 * 4, 1, 1]);
  const again = await countsOf(engine, [call]);
  assert.equal(again.objectsCreated, 0);
  await engine.close();
});

test("the same call gives the same bits in every run", async () => {
  const options = await smallExperts(newPath(), "q4");
  const outputs: Uint8Array[] = [];
  for (let run = 0; run < 3; run++) {
    const engine = await openWebGpuExpertEngine({ ...options, allowSoftwareAdapter: true });
    for (let i = 0; i < 3; i++) {
      outputs.push((await engine.forward(smallCall("q4", { numRows: 40 }))).data);
    }
    await engine.close();
  }
  for (const output of outputs) assertSameBits(output, outputs[0]!, "a run");
});

test("engines of one process share the thread and its device", async () => {
  const options = await smallExperts(newPath(), "q8");
  const [one, two] = await Promise.all([
    openWebGpuExpertEngine({ ...options, allowSoftwareAdapter: true }),
    openWebGpuExpertEngine({ ...options, allowSoftwareAdapter: true }),
  ]);
  expect((await gpuThreadCounts())!.numEngines).toBe(2);
  await one.close();
  expect((await gpuThreadCounts())!.numEngines).toBe(1);
  await two.forward(smallCall("q8"));
  await two.close();
});

test("a software adapter is refused unless it is allowed, and the engine says what it is", async () => {
  const options = await smallExperts(newPath(), "q8");
  await assertRefuses("unsupported", () => openWebGpuExpertEngine(options), "software");
  await expect(openWebGpuExpertEngine(options)).rejects.toThrow(/computes on the CPU/);
  const engine = await openWebGpuExpertEngine({ ...options, allowSoftwareAdapter: true });
  expect(engine.kind).toBe("webgpu");
  expect(engine.device).toMatch(/^webgpu (swiftshader|software llvmpipe)/);
  await engine.close();
});
