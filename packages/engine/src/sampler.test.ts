import assert from "node:assert/strict";
import { selectTopLogits, topLogitsMax } from "@octet/kernels";
import fc from "fast-check";
import { expect, test } from "vitest";
import { uniformAt } from "./philox.ts";
import { sampleToken, sampleTopToken, topLogitsNeeded } from "./sampler.ts";
import type { SamplingParams } from "./sampling-params.ts";

const unadjusted = {
  repetitionPenalty: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
  logitBias: new Map<number, number>(),
  allowedTokenIds: undefined,
  badWords: [],
};
const plain: SamplingParams = {
  ...{ temperature: 1, topK: undefined, topP: 1, minP: 0, seed: 1n },
  ...unadjusted,
};

/** Few distinct values, so that ties, zeros of both signs and equal weights all happen. */
const logit = fc.oneof(
  fc.constantFrom(-0, 0, 1, 1, 2, -3, 30, -300),
  fc.float({ min: -40, max: 40, noNaN: true }),
);
const logits = fc.array(logit, { minLength: 1, maxLength: 60 }).map((l) => Float32Array.from(l));
const params: fc.Arbitrary<SamplingParams> = fc.record({
  temperature: fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 5, noNaN: true })),
  topK: fc.option(fc.integer({ min: 1, max: 70 }), { nil: undefined }),
  topP: fc.oneof(fc.constantFrom(1, 0.5, 0.25), fc.double({ min: 1e-6, max: 1, noNaN: true })),
  minP: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 0.999, noNaN: true })),
  seed: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  ...Object.fromEntries(
    Object.entries(unadjusted).map(([name, value]) => [name, fc.constant(value)]),
  ),
}) as fc.Arbitrary<SamplingParams>;
const position = fc.nat({ max: 100_000 });

/** Sampling as its comment tells it: sort everything, then filter lists of records. */
function sampleTwin(row: Float32Array, asked: SamplingParams, at: number): number {
  const max = Math.max(...row);
  const tokens = Array.from(row, (value, id) => ({
    id,
    value,
    weight: Math.exp((value - max) / asked.temperature),
  }));
  const sumOf = (list: typeof tokens) => list.reduce((total, t) => total + t.weight, 0);
  const ranked = tokens.toSorted((a, b) => b.value - a.value || a.id - b.id);
  if (asked.temperature === 0) return ranked[0]!.id;
  let left = asked.topK === undefined ? ranked : ranked.slice(0, asked.topK);
  if (asked.topP < 1) {
    const all = left.length < tokens.length ? left : tokens;
    const enough = asked.topP * sumOf(all);
    let reached = 0;
    left = left.filter((token) => {
      const isNeeded = reached < enough;
      reached += token.weight;
      return isNeeded;
    });
  }
  left = left.filter((token) => token.weight >= asked.minP);
  left.sort((a, b) => a.id - b.id);
  const target = uniformAt(asked.seed, at) * sumOf(left);
  let reached = 0;
  for (const token of left) {
    reached += token.weight;
    if (reached > target) return token.id;
  }
  return left.filter((token) => token.weight > 0).at(-1)!.id;
}

test("sampling equals its slow, obvious twin", () => {
  fc.assert(
    fc.property(logits, params, position, (row, asked, at) => {
      assert.equal(sampleToken(row, asked, at), sampleTwin(row, asked, at));
    }),
    { numRuns: 2000 },
  );
});

test("sampling among the largest logits equals sampling among all", () => {
  let sampled = 0;
  fc.assert(
    fc.property(logits, params, position, fc.nat({ max: 9 }), (row, asked, at, more) => {
      const needed = topLogitsNeeded(asked, row.length);
      if (needed === undefined) return;
      const count = Math.min(needed + more, row.length, topLogitsMax);
      const top = selectTopLogits(row, { count, vocabSize: row.length });
      assert.equal(sampleTopToken(top, asked, at), sampleToken(row, asked, at));
      sampled += 1;
    }),
    { numRuns: 4000 },
  );
  assert(sampled > 1000, `only ${sampled} of 4000 runs could do without some logit`);
});

test("greedy needs one logit, topK as many, and everything else all", () => {
  expect(topLogitsNeeded({ ...plain, temperature: 0 }, 5)).toBe(1);
  expect(topLogitsNeeded({ ...plain, topK: 4 }, 5)).toBe(4);
  expect(topLogitsNeeded({ ...plain, topK: 5 }, 5)).toBe(undefined);
  expect(topLogitsNeeded({ ...plain, topK: 64 }, 100)).toBe(64);
  expect(topLogitsNeeded({ ...plain, topK: 65 }, 100)).toBe(undefined);
  expect(topLogitsNeeded({ ...plain, topP: 0.1, minP: 0.5 }, 5)).toBe(undefined);
  const greedy = { ...plain, temperature: 0 };
  expect(topLogitsNeeded({ ...greedy, repetitionPenalty: 1.1 }, 5)).toBe(undefined);
  expect(topLogitsNeeded({ ...greedy, presencePenalty: 1 }, 5)).toBe(undefined);
  expect(topLogitsNeeded({ ...greedy, frequencyPenalty: -1 }, 5)).toBe(undefined);
  expect(topLogitsNeeded({ ...greedy, logitBias: new Map([[1, 1]]) }, 5)).toBe(undefined);
  expect(topLogitsNeeded({ ...greedy, allowedTokenIds: Uint32Array.of(1) }, 5)).toBe(undefined);
});

test("the twin agrees over a whole vocabulary", () => {
  const row = Float32Array.from({ length: 8000 }, (_, id) => 4 * normalAt(7n, id));
  for (const asked of [
    { ...plain, topK: 40 },
    { ...plain, topP: 0.9 },
    { ...plain, minP: 0.05 },
    { ...plain, temperature: 3, topK: 1000, topP: 0.99, minP: 0.001 },
    plain,
  ]) {
    for (const at of [0, 1]) {
      expect(sampleToken(row, asked, at)).toBe(sampleTwin(row, asked, at));
    }
  }
});

test("greedy takes the largest logit, ties to the lowest id", () => {
  expect(sampleToken(Float32Array.of(1, 3, 3, 2), { ...plain, temperature: 0 }, 9)).toBe(1);
  expect(sampleToken(Float32Array.of(-0, 0), { ...plain, temperature: 0 }, 9)).toBe(0);
});

test("filters that drop nothing change nothing", () => {
  fc.assert(
    fc.property(logits, params, position, (row, asked, at) => {
      const open = { ...plain, temperature: asked.temperature, seed: asked.seed };
      const token = sampleToken(row, open, at);
      assert.equal(sampleToken(row, { ...open, topK: row.length }, at), token);
      assert.equal(sampleToken(row, { ...open, topP: 1 - 2 ** -53, minP: 1e-300 }, at), token);
    }),
  );
});

test("minP keeps a token of exactly that share", () => {
  const drawn = (minP: number) =>
    new Set(
      Array.from({ length: 50 }, (_, at) =>
        sampleToken(Float32Array.of(1, 0), { ...plain, minP }, at),
      ),
    );
  expect(drawn(Math.exp(-1))).toEqual(new Set([0, 1]));
  expect(drawn(Math.exp(-1) + 2 ** -53)).toEqual(new Set([0]));
});

test("tokens come up as often as their probabilities say", () => {
  const probabilities = [0.4, 0.25, 0.15, 0.1, 0.06, 0.04];
  const row = Float32Array.from(probabilities, Math.log);
  for (const asked of [
    { ...plain, seed: 42n },
    { ...plain, seed: 43n, topK: 3 },
    { ...plain, seed: 44n, topP: 0.75 },
    { ...plain, seed: 45n, minP: 0.2 },
    { ...plain, seed: 46n, temperature: 0.5 },
  ]) {
    const weights = probabilities.map((p) => p ** (1 / asked.temperature));
    const numLeft = asked.temperature === 0.5 || asked.seed === 42n ? 6 : asked.minP > 0 ? 4 : 3;
    const left = weights.slice(0, numLeft);
    const total = left.reduce((a, b) => a + b);
    const draws = 5000;
    const counts = new Float64Array(probabilities.length);
    for (let at = 0; at < draws; at++) counts[sampleToken(row, asked, at)]! += 1;
    const chiSquare = left
      .map((weight) => (draws * weight) / total)
      .reduce((sum, want, id) => sum + (counts[id]! - want) ** 2 / want, 0);
    // 20.5 is passed once in 1000 with 5 degrees of freedom; the seeds are fixed.
    expect(chiSquare).toBeLessThan(20.5);
    expect(counts.slice(numLeft).every((count) => count === 0)).toBe(true);
  }
});

test("a NaN or infinite logit is an error, greedy or not", () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    for (const temperature of [0, 1]) {
      expect(() => sampleToken(Float32Array.of(1, bad, 2), { ...plain, temperature }, 0)).toThrow(
        expect.objectContaining({ name: "EngineError", code: "internal" }),
      );
    }
  }
});

/** A number from the standard normal distribution, by Box and Muller. */
function normalAt(seed: bigint, index: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - uniformAt(seed, 2 * index)));
  return radius * Math.cos(2 * Math.PI * uniformAt(seed, 2 * index + 1));
}
