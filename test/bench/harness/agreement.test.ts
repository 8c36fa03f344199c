import { expect, test } from "vitest";
import { checkAgreement, relativeDifference } from "./agreement.ts";

const model = { vocabSize: 100 };

/** Logits of which each is off by `share` of their common size. */
function source(share: number) {
  return {
    model,
    logits: async (tokenIds: readonly number[]) =>
      Float32Array.from({ length: tokenIds.length * model.vocabSize }, (_, i) => {
        return (i % 2 === 0 ? 1 : -1) * (1 + share);
      }),
  };
}

test("rounding is let pass, and anything more is refused with the figure", async () => {
  const silent = () => {};
  expect(await checkAgreement(source(0.012), source(0), silent)).toBeCloseTo(0.012, 5);
  await expect(checkAgreement(source(0.05), source(0), silent)).rejects.toThrow(/differ by 5.00 %/);
  await expect(checkAgreement(source(Number.NaN), source(0), silent)).rejects.toThrow(/NaN/);
});

test("the difference is relative to the second, and none of unequal lengths", () => {
  expect(relativeDifference(Float32Array.of(3, 4), Float32Array.of(0, 4))).toBe(3 / 4);
  expect(relativeDifference(Float32Array.of(1), Float32Array.of(1, 1))).toBeNaN();
});
