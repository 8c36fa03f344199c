import { readdirSync, readFileSync } from "node:fs";
import { toExpertId } from "@octet/core";
import { expect, test } from "vitest";
import { expertRows } from "../conformance/expert-fixture.ts";
import { scratchDirectory } from "../conformance/scratch-directory.ts";
import { writeSyntheticModel } from "../conformance/synthetic-model.ts";
import { tinyModel } from "../conformance/tiny-model.ts";
import { openCpuExpertEngine } from "./cpu-expert-engine.ts";

const newPath = scratchDirectory();

const isLinux = process.platform === "linux"; // nowhere else are threads pinned

/** The processors that each thread of this process may use, as Linux lists them: "0-1". */
function allowedLists(): string[] {
  if (!isLinux) return [];
  return readdirSync("/proc/self/task").map((tid) => allowedList(`/proc/self/task/${tid}/status`));
}

function allowedList(statusPath: string): string {
  return /^Cpus_allowed_list:\t(.*)$/m.exec(readFileSync(statusPath, "utf8"))![1]!;
}

function countPinned(): number {
  return allowedLists().filter((list) => /^\d+$/.test(list)).length;
}

/** Processors in a list. */
function countProcessors(list: string): number {
  const ranges = list.split(",").map((range) => range.split("-").map(Number));
  return ranges.reduce((sum, [from, to]) => sum + (to ?? from!) - from! + 1, 0);
}

/** Checks how many threads an engine with `threads` of them pins. */
async function expectPinned(threads: number, pinned: number): Promise<void> {
  const model = tinyModel({ hiddenSize: 64, intermediateSize: 32, numLayers: 1, numExperts: 2 });
  const facts = { model, weightDtype: "f32", seed: 1 } as const;
  const weights = [await writeSyntheticModel({ ...facts, path: newPath(), parts: "experts" })];
  const expertId = toExpertId(1, 2);
  const before = countPinned();
  const engine = await openCpuExpertEngine({ ...facts, weights, expertIds: [expertId], threads });
  try {
    const input = expertRows(model, "f32", { numRows: 1, seed: 2 });
    await engine.forward({ layer: 0, expertId, input });
    // A helper pins itself when it comes to run.
    await expect.poll(() => countPinned() - before).toBe(pinned);
  } finally {
    await engine.close();
  }
}

test("threads are pinned where each has a processor, and only there", async () => {
  const processors = isLinux ? countProcessors(allowedList("/proc/self/status")) : 2;
  await expectPinned(processors, isLinux ? processors : 0);
  // With one processor every thread is on it, pinned or not.
  await expectPinned(processors + 1, processors === 1 ? 2 : 0);
});
