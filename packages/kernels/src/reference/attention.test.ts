import { expect, test } from "vitest";
import { normalValues, seededRandom } from "../conformance/seeded-random.ts";
import { type AttentionInput, attention, softmax } from "./attention.ts";

const headDim = 4;

function input(overrides: Partial<AttentionInput> & { t: number }): AttentionInput {
  const { t, startPosition = 0, numAttentionHeads = 4, numKeyValueHeads = 2 } = overrides;
  const random = seededRandom(t + startPosition);
  const kvLength = (startPosition + t) * numKeyValueHeads * headDim;
  return {
    queries: normalValues(random, t * numAttentionHeads * headDim),
    keys: normalValues(random, kvLength),
    values: normalValues(random, kvLength),
    startPosition,
    numAttentionHeads,
    numKeyValueHeads,
    headDim,
    slidingWindow: undefined,
    ...overrides,
  };
}

/** The textbook: a full matrix of scores, masked with minus infinity, for one query head. */
function fullMatrix(given: AttentionInput, head: number): number[][] {
  const { queries, keys, values, startPosition, slidingWindow } = given;
  const group = given.numAttentionHeads / given.numKeyValueHeads;
  const kvHead = (head - (head % group)) / group;
  const rowsOf = (from: Float32Array, heads: number, which: number) =>
    Array.from({ length: from.length / (heads * headDim) }, (_, row) =>
      Array.from(from.subarray((row * heads + which) * headDim).subarray(0, headDim)),
    );
  const K = rowsOf(keys, given.numKeyValueHeads, kvHead);
  const V = rowsOf(values, given.numKeyValueHeads, kvHead);
  return rowsOf(queries, given.numAttentionHeads, head).map((query, row) => {
    const at = startPosition + row;
    const scores = K.map((key, j) => {
      const masked = j > at || (slidingWindow !== undefined && j <= at - slidingWindow);
      return masked ? -Infinity : key.reduce((sum, x, d) => sum + x * query[d]!, 0) / 2;
    });
    const exps = scores.map(Math.exp);
    const total = exps.reduce((sum, x) => sum + x, 0);
    return Array.from({ length: headDim }, (_, d) =>
      V.reduce((sum, row, j) => sum + (exps[j]! / total) * row[d]!, 0),
    );
  });
}

test("attention is the masked softmax of the full score matrix, times the values", () => {
  for (const overrides of [
    { t: 1 },
    { t: 9 },
    { t: 3, startPosition: 6 },
    { t: 9, slidingWindow: 1 },
    { t: 9, slidingWindow: 4 },
    { t: 2, startPosition: 8, slidingWindow: 3 },
    { t: 5, numKeyValueHeads: 1 },
    { t: 5, numKeyValueHeads: 4 },
  ]) {
    const given = input(overrides);
    const out = attention(given);
    for (let head = 0; head < 4; head++) {
      fullMatrix(given, head).forEach((row, token) => {
        row.forEach((expected, d) => {
          expect(out[(token * 4 + head) * headDim + d]).toBeCloseTo(expected, 5);
        });
      });
    }
  }
});

test("equal keys average the values in sight", () => {
  const out = attention({
    ...input({ t: 3, numAttentionHeads: 1, numKeyValueHeads: 1, slidingWindow: 2 }),
    keys: new Float32Array(3 * headDim),
    values: Float32Array.from({ length: 3 * headDim }, (_, i) => Math.floor(i / headDim) * 10),
  });
  expect([0, 1, 2].map((token) => out[token * headDim])).toEqual([0, 5, 15]);
});

test("softmax sums to 1 and does not overflow", () => {
  expect([...softmax(Float64Array.of(1e4, 1e4))]).toEqual([0.5, 0.5]);
  const p = softmax(Float64Array.of(-1, 0, 3));
  expect(p[0]! + p[1]! + p[2]!).toBeCloseTo(1, 12);
  expect(p[2]! / p[1]!).toBeCloseTo(Math.exp(3), 9);
});
