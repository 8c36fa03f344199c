import { expect, test } from "vitest";
import { millisecondsOfOne } from "./milliseconds-of-one.ts";

const limits = { sampleMs: 3, samples: 3, countMax: 512 };

/** A device on which one takes `eachMs`, and that stops for `pausesMs` in turn, 0 when they end. */
function createDevice(eachMs: number, pausesMs: readonly number[] = []) {
  const counts: number[] = [];
  const run = async (count: number) => {
    counts.push(count);
    return count * eachMs + (pausesMs[counts.length - 1] ?? 0);
  };
  return { counts, run };
}

test("what takes long is run once a sample", async () => {
  const { counts, run } = createDevice(40);
  expect(await millisecondsOfOne(run, limits)).toBe(40);
  expect(counts).toEqual([1, 1, 1]);
});

test("what is quick is repeated until a sample can be believed", async () => {
  const { counts, run } = createDevice(0.25);
  expect(await millisecondsOfOne(run, limits)).toBeCloseTo(0.25);
  expect(counts).toEqual([1, 8, 15, 15, 15]);
});

test("a sample has no more than a submission holds", async () => {
  const { counts, run } = createDevice(0);
  expect(await millisecondsOfOne(run, limits)).toBe(0);
  expect(counts).toEqual([1, 8, 64, 512, 512, 512]);
});

test("one long pause changes nothing", async () => {
  const { run } = createDevice(4, [0, 500, 0]);
  expect(await millisecondsOfOne(run, limits)).toBe(4);
});
