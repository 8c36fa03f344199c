import { stopStringLengthMax, stopStringsMax } from "@octet/core";
import { expect, test } from "vitest";
import { resolveStop, type StopRequest } from "./stop-params.ts";

test("what is unset takes its documented default", () => {
  expect(resolveStop({}, 12)).toEqual({ maxTokens: 12, strings: [], ignoreEos: false });
});

test("the context's end caps maxTokens", () => {
  expect(resolveStop({ maxTokens: 13 }, 12).maxTokens).toBe(12);
  expect(resolveStop({ maxTokens: 11 }, 12).maxTokens).toBe(11);
});

test("values outside their ranges are refused, and stop strings never quoted", () => {
  const secret = "secret".repeat(stopStringLengthMax);
  const outside: StopRequest[] = [
    { maxTokens: 0 },
    { maxTokens: 1.5 },
    { maxTokens: Number.NaN },
    { strings: [""] },
    { strings: ["a", secret] },
    { strings: Array.from({ length: stopStringsMax + 1 }, () => "secret") },
  ];
  for (const request of outside) {
    const resolve = () => resolveStop(request, 12);
    expect(resolve).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(resolve).not.toThrow(/secret/);
  }
});
