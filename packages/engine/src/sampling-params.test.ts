import fc from "fast-check";
import { expect, test } from "vitest";
import { resolveSampling, type SamplingRequest } from "./sampling-params.ts";

const chooseSeed = () => 7n;

test("what is unset takes its documented default", () => {
  expect(resolveSampling({}, chooseSeed)).toEqual({
    temperature: 1,
    topK: undefined,
    topP: 1,
    minP: 0,
    seed: 7n,
  });
});

test("values inside their ranges are kept, the borders included", () => {
  const borders: SamplingRequest[] = [
    { temperature: 0, topK: 1, topP: Number.MIN_VALUE, minP: 0, seed: 0n },
    { temperature: 1e9, topK: 2 ** 32 - 1, topP: 1, minP: 0.999, seed: (1n << 64n) - 1n },
  ];
  for (const request of borders) expect(resolveSampling(request, chooseSeed)).toEqual(request);
});

test("values outside their ranges are refused by name", () => {
  const outside: SamplingRequest[] = [
    ...[-0.1, Number.NaN, Number.POSITIVE_INFINITY].map((temperature) => ({ temperature })),
    ...[0, -1, 1.5, Number.NaN].map((topK) => ({ topK })),
    ...[0, -0.1, 1.001, Number.NaN].map((topP) => ({ topP })),
    ...[-0.1, 1, Number.NaN].map((minP) => ({ minP })),
    ...[-1n, 1n << 64n].map((seed) => ({ seed })),
  ];
  fc.assert(
    fc.property(fc.constantFrom(...outside), (request) => {
      expect(() => resolveSampling(request, chooseSeed)).toThrow(
        expect.objectContaining({
          code: "invalid-argument",
          message: expect.stringContaining(`${Object.keys(request)[0]}: expected`),
        }),
      );
    }),
  );
});
