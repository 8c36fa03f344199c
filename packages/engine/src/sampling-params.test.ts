import fc from "fast-check";
import { expect, test } from "vitest";
import { resolveSampling, type SamplingRequest } from "./sampling-params.ts";

const context = { chooseSeed: () => 7n, vocabSize: 40 };

test("what is unset takes its documented default", () => {
  expect(resolveSampling({}, context)).toEqual({
    temperature: 1,
    topK: undefined,
    topP: 1,
    minP: 0,
    seed: 7n,
    repetitionPenalty: 1,
    presencePenalty: 0,
    frequencyPenalty: 0,
    logitBias: new Map(),
    allowedTokenIds: undefined,
    badWords: [],
  });
});

test("values inside their ranges are kept, the borders included", () => {
  const borders: SamplingRequest[] = [
    { temperature: 0, topK: 1, topP: Number.MIN_VALUE, minP: 0, seed: 0n },
    { temperature: 1e9, topK: 2 ** 32 - 1, topP: 1, minP: 0.999, seed: (1n << 64n) - 1n },
  ];
  borders.push({ badWords: Array(128).fill([0, ...Array(63).fill(39)]) });
  for (const request of borders) expect(resolveSampling(request, context)).toMatchObject(request);
  const logitBias = [
    [39, 100],
    [0, -100],
  ] as const;
  const request = { repetitionPenalty: 1e-40, presencePenalty: -2, frequencyPenalty: 2 };
  expect(
    resolveSampling({ ...request, logitBias, allowedTokenIds: [39, 0, 39, 7] }, context),
  ).toMatchObject({
    ...request,
    badWords: [],
    logitBias: new Map(logitBias),
    allowedTokenIds: Uint32Array.of(0, 7, 39),
  });
});

test("values outside their ranges are refused by name", () => {
  const outside: SamplingRequest[] = [
    ...[-0.1, Number.NaN, Number.POSITIVE_INFINITY].map((temperature) => ({ temperature })),
    ...[0, -1, 1.5, Number.NaN].map((topK) => ({ topK })),
    ...[0, -0.1, 1.001, Number.NaN].map((topP) => ({ topP })),
    ...[-0.1, 1, Number.NaN].map((minP) => ({ minP })),
    ...[-1n, 1n << 64n].map((seed) => ({ seed })),
    ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY].map((p) => ({ repetitionPenalty: p })),
    ...[-2.1, 2.1, Number.NaN].map((presencePenalty) => ({ presencePenalty })),
    ...[-2.1, 2.1, Number.NaN].map((frequencyPenalty) => ({ frequencyPenalty })),
    ...[40, -1, 1.5].map((id) => ({ logitBias: [[id, 1]] as const })),
    ...[101, -101, Number.NaN].map((bias) => ({ logitBias: [[1, bias]] as const })),
    {
      logitBias: [
        [1, 2],
        [1, 2],
      ],
    },
    { logitBias: Array.from({ length: 1025 }, (_, id) => [id % 40, 1] as const) },
    ...[[], [40], [-1], [0.5]].map((allowedTokenIds) => ({ allowedTokenIds })),
    { allowedTokenIds: Array(32_769).fill(1) },
    ...[[], [40], [-1], [1, 0.5], Array(65).fill(1)].map((word) => ({ badWords: [[1], word] })),
    { badWords: Array(129).fill([1]) },
  ];
  fc.assert(
    fc.property(fc.constantFrom(...outside), (request) => {
      expect(() => resolveSampling(request, context)).toThrow(
        expect.objectContaining({
          code: "invalid-argument",
          message: expect.stringContaining(`${Object.keys(request)[0]}: expected`),
        }),
      );
    }),
  );
});
