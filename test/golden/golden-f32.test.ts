import { expect, test } from "vitest";
import { relativeL2ByRow } from "./explain-differences.ts";
import { goldenModels, readGoldenPrompts } from "./golden-files.ts";
import { engineKinds, withGoldenModel } from "./one-process-model.ts";

/** Measured: at most 3e-6 for a row, on either engine. Errors are of the sums' order alone. */
const rowDistanceMax = 1e-5;

for (const kind of engineKinds) {
  for (const { name } of goldenModels) {
    test(`${kind}, ${name}: f32 logits and experts are those of transformers`, async () => {
      await withGoldenModel({ name, weightDtype: "f32", kind }, async (model) => {
        for (const golden of readGoldenPrompts(name)) {
          const { tokenIds, f32, experts } = golden;
          const all = [...tokenIds, ...f32.greedyTokenIds.subarray(0, -1)];
          const [result] = await model.run([{ tokenIds: all, chunks: [all.length] }]);
          const prompt = result!.logits.subarray(0, tokenIds.length * model.vocabSize);
          for (const distance of relativeL2ByRow(prompt, f32.logits, model.vocabSize)) {
            expect(distance).toBeLessThanOrEqual(rowDistanceMax);
          }
          expect(result!.experts).toEqual(experts);
        }
      });
    });

    test(`${kind}, ${name}: greedy text of eight sequences at once is transformers'`, async () => {
      await withGoldenModel({ name, weightDtype: "f32", kind }, async (model) => {
        // Each prompt, and each prompt as it stands after some of its text.
        const requests = readGoldenPrompts(name).flatMap(({ tokenIds, f32 }, index) =>
          [0, 3 + 7 * index].map((given) => ({
            promptTokenIds: [...tokenIds, ...f32.greedyTokenIds.subarray(0, given)],
            maxTokens: f32.greedyTokenIds.length - given,
            expected: Array.from(f32.greedyTokenIds.subarray(given)),
          })),
        );
        expect(requests).toHaveLength(8);
        expect(await model.generateGreedy(requests)).toEqual(requests.map((r) => r.expected));
      });
    });
  }
}
