// An engine computes by the choices that are kept for its device, and gives the same bits.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { assertSameBits } from "../../conformance/compare.ts";
import { scratchDirectory } from "../../conformance/scratch-directory.ts";
import { countsBetween } from "../device/counts.ts";
import { useSwiftShader } from "../device/swiftshader.ts";
import { smallCall, smallExperts } from "../testing/expert-cases.ts";
import { gpuThreadCounts, openInGpuThread } from "../thread/thread-host.ts";
import { openWebGpuExpertEngine } from "../webgpu-expert-engine.ts";
import type { TuningCandidates } from "./tune-products.ts";

useSwiftShader(process.env);
const newPath = scratchDirectory();

/** One row's bits and its dispatches, and what the engine said when it was opened. */
async function forward(tuningCacheDir: string | undefined) {
  const notes: string[] = [];
  const engine = await openWebGpuExpertEngine({
    ...(await smallExperts(newPath(), "q4")),
    allowSoftwareAdapter: true,
    tuningCacheDir,
    onNote: (note) => notes.push(note),
  });
  const before = (await gpuThreadCounts())!.counts;
  const { data } = await engine.forward(smallCall("q4"));
  const counts = countsBetween(before, (await gpuThreadCounts())!.counts);
  await engine.close();
  return { data, dispatches: counts.dispatches, notes };
}

test("a kept choice is taken, a damaged one is told of, and bits stay the same", async () => {
  const cacheDir = newPath();
  const usual = await forward(undefined);
  expect(usual).toMatchObject({ dispatches: 2, notes: [] });
  expect(await forward(cacheDir)).toEqual(usual);
  const candidates: TuningCandidates = { dots: ["packed"], fewRows: [1], tileRows: [16] };
  const tuned = await openInGpuThread(
    {
      engine: "expert",
      options: {
        ...(await smallExperts(newPath(), "q4")),
        tuning: { cacheDir, tune: true, candidates },
      },
      allowSoftwareAdapter: true,
      adapterName: undefined,
    },
    { onDeviceChange: () => {}, onProgress: () => {} },
  );
  await tuned.close();
  expect(tuned.notes).toHaveLength(1);
  const path = join(cacheDir, (await readdir(cacheDir))[0]!);
  const content = JSON.parse(await readFile(path, "utf8"));
  // As if tiles were faster for a single row: w1, w3, silu and w2, each on its own.
  for (const choice of Object.values<{ fewRows: number[] }>(content.choices)) choice.fewRows = [];
  await writeFile(path, JSON.stringify(content));
  const byTiles = await forward(cacheDir);
  expect(byTiles).toMatchObject({ dispatches: 4, notes: [] });
  assertSameBits(byTiles.data, usual.data, "by tiles");
  await writeFile(path, "");
  const untuned = await forward(cacheDir);
  expect(untuned.dispatches).toBe(2);
  expect(untuned.notes).toHaveLength(1);
  expect(untuned.notes[0]).toContain(path);
});
