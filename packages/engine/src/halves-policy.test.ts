// The policy in simulated time: what it costs where halves lose, and that it takes them up where
// they win.
import assert from "node:assert/strict";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createHalvesPolicy, type HalvesPolicy, type NumHalves } from "./halves-policy.ts";

/** A machine on which steps take as long as these say. */
interface Machine {
  /** How much longer a step takes in halves: 0.1 is a tenth longer. */
  readonly halvesCost: number;
  /** Standard deviation of a step's time, as a part of it. */
  readonly noise: number;
  readonly seed: number;
}

/** What a policy did in some steps, and what they took. */
interface Run {
  readonly halvedSteps: number;
  readonly elapsedMs: number;
  /** Had every step been whole, or in halves, with the same accidents. */
  readonly wholeMs: number;
  readonly halvesMs: number;
}

/**
 * Steps whose sequences come and go and whose contexts grow, on a machine that others use too: its
 * speed wanders by a factor of two either way, and one step in a hundred takes five times as long.
 */
function simulate(policy: HalvesPolicy, machine: Machine, numSteps: number): Run {
  const random = createRandom(machine.seed);
  const run = { halvedSteps: 0, elapsedMs: 0, wholeMs: 0, halvesMs: 0 };
  let sequences = 24;
  let slowness = 0;
  for (let i = 0; i < numSteps; i++) {
    const change = random() < 0.05 ? 1 : random() < 0.05 ? -1 : 0;
    sequences = Math.min(31, Math.max(16, sequences + change));
    slowness = Math.max(-0.7, Math.min(0.7, slowness + normal(random) * 0.02));
    const accident = random() < 0.01 ? 5 : 1;
    const shared = (20 + sequences + i / 1000) * Math.exp(slowness) * accident;
    const wholeMs = shared * Math.exp(machine.noise * normal(random));
    const halvesMs = wholeMs * (1 + machine.halvesCost);
    const step = { numSequences: sequences, numTokens: sequences };
    const numHalves = policy.choose(step);
    const elapsedMs = numHalves === 2 ? halvesMs : wholeMs;
    policy.observe({ ...step, numHalves, elapsedMs });
    run.halvedSteps += numHalves - 1;
    run.elapsedMs += elapsedMs;
    run.wholeMs += wholeMs;
    run.halvesMs += halvesMs;
  }
  return run;
}

/** Uniform in 0 .. 1 (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Mean 0, deviation 1. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

const noise = fc.double({ min: 0, max: 0.1, noNaN: true });
const seed = fc.nat();
const numSteps = 6_000;
/** The same runs each time: what holds for nearly all machines is judged on these. */
const runs = { numRuns: 300, seed: 6 };

test("where halves lose, few steps pay for finding that out", () => {
  const halvesCost = fc.double({ min: 0.08, max: 1, noNaN: true });
  fc.assert(
    fc.property(halvesCost, noise, seed, (cost, scatter, from) => {
      const policy = createHalvesPolicy("auto", 8);
      const machine = { halvesCost: cost, noise: scatter, seed: from };
      const { halvedSteps, elapsedMs, wholeMs } = simulate(policy, machine, numSteps);
      assert(halvedSteps <= numSteps * 0.03, `${halvedSteps} steps in halves`);
      assert(elapsedMs <= wholeMs * 1.01, `${(elapsedMs / wholeMs - 1) * 100} % lost`);
    }),
    runs,
  );
});

test("where halves win, nearly all steps are halved before long", () => {
  const halvesGain = fc.double({ min: 0.12, max: 0.5, noNaN: true });
  fc.assert(
    fc.property(halvesGain, noise, seed, (gain, scatter, from) => {
      const policy = createHalvesPolicy("auto", 8);
      const machine = { halvesCost: -gain, noise: scatter, seed: from };
      simulate(policy, machine, 1_500);
      const { halvedSteps } = simulate(policy, machine, numSteps);
      assert(halvedSteps >= numSteps * 0.9, `${halvedSteps} of ${numSteps} steps in halves`);
    }),
    runs,
  );
});

test("whatever halves cost, it is never much worse than whole steps", () => {
  const halvesCost = fc.double({ min: -0.1, max: 0.1, noNaN: true });
  fc.assert(
    fc.property(halvesCost, noise, seed, (cost, scatter, from) => {
      const policy = createHalvesPolicy("auto", 8);
      const machine = { halvesCost: cost, noise: scatter, seed: from };
      const { elapsedMs, wholeMs } = simulate(policy, machine, numSteps);
      assert(elapsedMs <= wholeMs * 1.01, `${(elapsedMs / wholeMs - 1) * 100} % lost`);
    }),
    runs,
  );
});

test("it changes its mind when the machine does, either way", () => {
  fc.assert(
    fc.property(noise, seed, (scatter, from) => {
      const policy = createHalvesPolicy("auto", 8);
      for (let turn = 0; turn < 3; turn++) {
        const lose = { halvesCost: 0.25, noise: scatter, seed: from + turn };
        const win = { ...lose, halvesCost: -0.2 };
        simulate(policy, lose, numSteps);
        assert(simulate(policy, lose, 1_000).halvedSteps <= 150, "still in halves");
        simulate(policy, win, numSteps);
        assert(simulate(policy, win, 1_000).halvedSteps >= 850, "still whole");
      }
    }),
    { ...runs, numRuns: 60 },
  );
});

/** Steps of one size, each way as long a token as `msPerToken` says. */
function repeat(
  policy: HalvesPolicy,
  { numSequences = 16, numTokens = 16, numSteps: count = 400 },
  msPerToken: Record<NumHalves, number>,
): NumHalves[] {
  return Array.from({ length: count }, () => {
    const step = { numSequences, numTokens };
    const numHalves = policy.choose(step);
    policy.observe({ ...step, numHalves, elapsedMs: numTokens * msPerToken[numHalves] });
    return numHalves;
  });
}

test("sizes are judged apart, and steps of few sequences stay whole", () => {
  const policy = createHalvesPolicy("auto", 8);
  for (let i = 0; i < 10; i++) {
    repeat(policy, { numTokens: 16, numSteps: 40 }, { 1: 1, 2: 2 });
    repeat(policy, { numTokens: 300, numSteps: 40 }, { 1: 2, 2: 1 });
  }
  const chosen = (numTokens: number) => repeat(policy, { numTokens }, { 1: 1, 2: 1 }).slice(0, 8);
  expect(chosen(16)).toEqual(Array(8).fill(1));
  expect(chosen(300)).toEqual(Array(8).fill(2));
  expect(repeat(policy, { numSequences: 7, numTokens: 300 }, { 1: 2, 2: 1 })).not.toContain(2);
});

test("trials whose steps fail, or cannot be halved, or are of other sizes, are given up", () => {
  const failing = createHalvesPolicy("auto", 8);
  const chosen = Array.from({ length: 400 }, () => {
    const numHalves = failing.choose({ numSequences: 16, numTokens: 16 });
    if (numHalves === 1) {
      failing.observe({ numSequences: 16, numTokens: 16, numHalves, elapsedMs: 5 });
    }
    return numHalves;
  });
  // Of 16 + 8 steps, the trial's own but the first.
  expect(chosen.filter((numHalves) => numHalves === 2).length).toBeLessThanOrEqual(400 * (7 / 24));
  const jumping = createHalvesPolicy("auto", 8);
  let halved = 0;
  for (let i = 0; i < 400; i++) {
    const step = { numSequences: 16, numTokens: i % 2 === 0 ? 16 : 31 };
    const numHalves = jumping.choose(step);
    jumping.observe({ ...step, numHalves, elapsedMs: 5 });
    halved += numHalves - 1;
  }
  expect(halved).toBe(0);
});

test("on is every step of enough sequences, off is none", () => {
  const times = { 1: 1, 2: 5 };
  expect(new Set(repeat(createHalvesPolicy("on", 8), {}, times))).toEqual(new Set([2]));
  expect(new Set(repeat(createHalvesPolicy("on", 17), {}, times))).toEqual(new Set([1]));
  expect(new Set(repeat(createHalvesPolicy("off", 8), {}, times))).toEqual(new Set([1]));
});
