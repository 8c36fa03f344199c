import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scratchDirectory } from "../../conformance/scratch-directory.ts";
import { defaultTuning } from "../multiply.ts";
import { smallModel } from "../testing/expert-cases.ts";
import { sharedSwiftShaderDevice } from "../testing/swiftshader-device.ts";
import { adapterFileName, identifyDevice } from "./device-identity.ts";
import { DispatchTimer } from "./dispatch-timer.ts";
import { expertTuning, productTuning } from "./open-tuning.ts";
import { createRandomMatrix } from "./random-matrix.ts";
import { productCosts, type TuningCandidates } from "./tune-products.ts";

const newPath = scratchDirectory();

/** Few enough to compile in seconds. */
const candidates: TuningCandidates = { dots: ["packed"], fewRows: [1], tileRows: [16] };
const source = { model: smallModel, dtype: "q4" } as const;
const shape = { kernel: "multiply", dtype: "q4", shape: [96, 64] } as const;

test("nothing is timed and nothing written unless it is asked for", async () => {
  const device = await sharedSwiftShaderDevice();
  const cacheDir = join(newPath(), "cache");
  const before = device.counts.submits;
  const { choice, notes } = await expertTuning(device, source, { cacheDir });
  expect(choice).toEqual({ up: defaultTuning, down: defaultTuning });
  expect(notes).toEqual([]);
  expect(device.counts.submits).toBe(before);
  await expect(readFile(cacheDir)).rejects.toThrow("ENOENT");
});

test("choices are timed when asked, kept, found again, and made anew when the file is damaged", async () => {
  const device = await sharedSwiftShaderDevice();
  const cacheDir = newPath();
  const path = join(cacheDir, adapterFileName(identifyDevice(device)));
  const tuned = await expertTuning(device, source, { cacheDir, tune: true, candidates });
  expect(tuned.notes).toEqual([`${path}: tuned choices are kept`]);
  expect(tuned.choice.down.tileRows).toEqual([16]);
  // Other shapes join those that are there.
  const product = await productTuning(device, [shape], { cacheDir, tune: true, candidates });
  expect(product.choice[0]!.tileRows).toEqual([16]);
  const created = device.counts.objectsCreated;
  const again = await expertTuning(device, source, { cacheDir, tune: true, candidates });
  expect(again).toEqual({ choice: tuned.choice, notes: [] });
  expect(device.counts.objectsCreated).toBe(created);
  await writeFile(path, "{");
  const ignored = await expertTuning(device, source, { cacheDir });
  expect(ignored.choice.up).toEqual(defaultTuning);
  expect(ignored.notes).toHaveLength(1);
  const anew = await expertTuning(device, source, { cacheDir, tune: true, candidates });
  expect(anew.notes.map((note) => note.includes("ignored"))).toEqual([true, false]);
  expect((await expertTuning(device, source, { cacheDir })).notes).toEqual([]);
});

// Which kernel is the quicker is for benchmarks: here the machine may do anything beside it.
test.each([false, true])(
  "every kernel gets a time, without the device's clock: %s",
  async (without) => {
    const device = await sharedSwiftShaderDevice();
    const timer = new DispatchTimer(device, {
      sampleMs: 3,
      samples: 3,
      withoutTimestamps: without,
    });
    expect(timer.method).toBe(without ? "queue" : "device clock");
    const lab = { device, timer, candidates, rotationBytes: 0 };
    const matrices = [createRandomMatrix(device, "q4", [16, 64])];
    const submits = device.counts.submits;
    const costs = await productCosts(lab, matrices, { dots: "packed", fewRows: [1] });
    expect(costs.length).toBeGreaterThan(1);
    for (const { microseconds } of costs) expect(microseconds).toBeGreaterThan(0);
    expect(device.counts.submits).toBe(submits); // a stopwatch does not count as work
    timer.destroy();
  },
);
