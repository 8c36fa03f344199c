// What weight dtypes may lose. `npm run quality` prints the figures in full.
import { fileURLToPath } from "node:url";
import type { WeightDtype } from "@octet/core";
import { openTokenizer } from "@octet/tokenizer";
import { beforeAll, expect, test } from "vitest";
import { type FormatQuality, measureFormat } from "./format-quality.ts";
import { type HeldOutText, heldOutFile, readHeldOutTexts } from "./held-out-text.ts";

const modelDir = fileURLToPath(new URL("../../models/octet-tiny", import.meta.url));

let texts: HeldOutText[];
let f32: FormatQuality;

const measure = (weightDtype: WeightDtype) =>
  measureFormat({ sourceDir: modelDir, weightDtype, kind: "cpu", texts });

beforeAll(async () => {
  texts = readHeldOutTexts(heldOutFile, await openTokenizer(modelDir));
  f32 = await measure("f32");
});

/** Largest relative L2 of a tensor, and how far perplexity may be from f32's, up or down. */
const limits = {
  bf16: { error: 0, perplexity: 0.001 }, // the bundled model was published in bf16
  q8: { error: 0.0057, perplexity: 0.002 },
  q4: { error: 0.085, perplexity: 0.01 },
};

test("the bundled model predicts held-out text as well as transformers says it does", () => {
  // evaluation.json has 1.271 in f32 for the first 600 documents, of which these are 120.
  expect(f32.perplexity).toBeGreaterThan(1.25);
  expect(f32.perplexity).toBeLessThan(1.28);
});

for (const weightDtype of ["bf16", "q8", "q4"] as const) {
  test(`${weightDtype} loses no more of weights and perplexity than it may`, async () => {
    const found = await measure(weightDtype);
    const limit = limits[weightDtype];
    expect(found.errors.length).toBe(4 * 4 + 2 + 4 * 8 * 3);
    for (const { name, relativeL2 } of found.errors) {
      expect(relativeL2, name).toBeLessThanOrEqual(limit.error);
    }
    const change = found.perplexity! / f32.perplexity! - 1;
    expect(Math.abs(change)).toBeLessThanOrEqual(limit.perplexity);
  });
}
