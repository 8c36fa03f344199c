import { stopStringLengthMax, stopStringsMax, stopTokenIdsMax } from "@octet/core";
import { expect, test } from "vitest";
import { resolveStop, type StopRequest } from "./stop-params.ts";

const context = { roomTokens: 12, vocabSize: 40, maySayNothing: false };

test("what is unset takes its documented default", () => {
  expect(resolveStop({}, context)).toEqual({
    maxTokens: 12,
    strings: [],
    ignoreEos: false,
    tokenIds: [],
    minTokens: 0,
    includeStopString: false,
  });
});

test("the context's end caps maxTokens", () => {
  expect(resolveStop({ maxTokens: 13, minTokens: 12 }, context).maxTokens).toBe(12);
  expect(resolveStop({ maxTokens: 11 }, context).maxTokens).toBe(11);
});

test("nothing may be said only where something else was asked for", () => {
  const scoring = { ...context, maySayNothing: true };
  expect(resolveStop({ maxTokens: 0 }, scoring).maxTokens).toBe(0);
  expect(() => resolveStop({ maxTokens: 0 }, context)).toThrow(/0 is for requests/);
});

test("values outside their ranges are refused, and stop strings never quoted", () => {
  const secret = "secret".repeat(stopStringLengthMax);
  const outside: StopRequest[] = [
    { maxTokens: 0 },
    { maxTokens: 1.5 },
    { maxTokens: Number.NaN },
    { minTokens: 13 },
    { minTokens: -1 },
    { minTokens: 0.5 },
    { maxTokens: 3, minTokens: 4 },
    { maxTokens: 13, minTokens: 13 },
    { tokenIds: [40] },
    { tokenIds: [1, -1] },
    { tokenIds: Array(stopTokenIdsMax + 1).fill(1) },
    { strings: [""] },
    { strings: ["a", secret] },
    { strings: Array.from({ length: stopStringsMax + 1 }, () => "secret") },
  ];
  for (const request of outside) {
    const resolve = () => resolveStop(request, context);
    expect(resolve).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(resolve).not.toThrow(/secret/);
  }
});
