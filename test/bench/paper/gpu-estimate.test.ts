import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mixtralWidth } from "../model/mixtral-width.ts";
import { costsOf } from "../model/model-costs.ts";
import {
  estimateStep,
  expertsInUse,
  type PaperAssumptions,
  prefillCacheBytes,
} from "./gpu-estimate.ts";
import { paperRows, prefillRows } from "./gpu-on-paper.ts";

const model = mixtralWidth(32);
const gpu = { name: "round numbers", memoryGb: 80, bandwidthGbs: 1000 };

/** Everything free but reading. */
const onlyBytes: PaperAssumptions = {
  bandwidthShare: 1,
  dispatchMs: 0,
  readBackMs: 0,
  callMs: 0,
  dispatches: { coordinator: 6, worker: 2, finish: 2 },
  contextTokens: 0,
};

test("bytes are those of the formats: 4.5 and 8.5 bits a weight", () => {
  const matrix = 3 * 4096 * 14_336;
  expect(costsOf(model, "q4").expertBytes).toBe((matrix * 4.5) / 8);
  expect(costsOf(model, "q8").expertBytes).toBe((matrix * 8.5) / 8);
  const question = { model, dtype: "q4", sequences: 1, placement: "one GPU" } as const;
  // 12.75 G weights in matrices at 4.5 bits; the gates' rows and two norms a layer in f32.
  const weights = 32 * (2 * 4096 * (4096 + 1024) + 2 * matrix) + 32_000 * 4096;
  const { bytes } = estimateStep(gpu, question, onlyBytes);
  expect(bytes).toBe((weights * 4.5) / 8 + (32 * (8 + 2) + 1) * 4096 * 4);
});

test("with all else free, a GPU that holds everything reaches its bandwidth", () => {
  const question = { model, dtype: "q8", sequences: 3, placement: "one GPU" } as const;
  const estimate = estimateStep(gpu, question, onlyBytes);
  expect(estimate.tokensPerSecond).toBeCloseTo(estimate.tokensPerSecondMax, 6);
  expect(estimate.tokensPerSecond).toBeCloseTo((3 * 1e12) / estimate.bytes, 6);
});

test("with reading free, a step is its dispatches, calls and read-backs", () => {
  const fast = { ...gpu, bandwidthGbs: 1e12 };
  const assumed = { ...onlyBytes, dispatchMs: 0.01, readBackMs: 0.1, callMs: 1 };
  const question = { model, dtype: "q4", sequences: 1, placement: "a GPU a service" } as const;
  const { stepMs } = estimateStep(fast, question, assumed);
  expect(stepMs).toBeCloseTo(32 * (8 * 0.01 + 2 * 0.1 + 1) + 2 * 0.01 + 0.1, 3);
});

test("one token asks K experts, many ask all", () => {
  expect(expertsInUse(model, 1)).toBe(2);
  expect(expertsInUse(model, 8)).toBeCloseTo(7.199, 3);
  expect(expertsInUse(model, 1000)).toBeCloseTo(8, 9);
});

test("a prompt's tokens read what they see, alone or so many at once", () => {
  const position = 32 * 2 * 8 * 128 * 2;
  expect(prefillCacheBytes(model, 5, 1)).toBe((1 + 2 + 3 + 4 + 5) * position);
  expect(prefillCacheBytes(model, 5, 4)).toBe((4 + 5) * position);
  expect(prefillCacheBytes(model, 5, 16)).toBe(5 * position);
});

test("docs/performance.md has the rows that these formulas give", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/performance.md"), "utf8");
  const rows = [...paperRows("a GPU a service"), ...paperRows("one GPU"), ...prefillRows()];
  for (const row of rows) {
    expect(page).toContain(row);
  }
});
