import { expect, test } from "vitest";
import { goldenModels, readGoldenPrompts } from "./golden-files.ts";
import { engineKinds, withGoldenModel } from "./one-process-model.ts";

const numTop = 5;
/** Logits differ from transformers' by the order of f32 sums alone: see golden-f32.test.ts. */
const distanceMax = 1e-4;

/** Natural logarithms of the softmax of one row, in f64. */
function logSoftmax(logits: Float32Array): Float64Array {
  const max = Math.max(...logits);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - max), 0);
  return Float64Array.from(logits, (logit) => logit - max - Math.log(sum));
}

for (const kind of engineKinds) {
  for (const { name } of goldenModels) {
    test(`${kind}, ${name}: a prompt's logprobs are those of transformers' logits`, async () => {
      await withGoldenModel({ name, weightDtype: "f32", kind }, async (model) => {
        for (const { tokenIds, f32 } of readGoldenPrompts(name)) {
          const scores = await model.scorePrompt(tokenIds, numTop);
          expect(scores).toHaveLength(tokenIds.length - 1);
          scores.forEach(({ chosen, top, rank }, row) => {
            const V = model.vocabSize;
            const want = logSoftmax(f32.logits.subarray(row * V, (row + 1) * V));
            expect(chosen.tokenId).toBe(tokenIds[row + 1]);
            for (const { tokenId, logprob } of [chosen, ...top]) {
              expect(Math.abs(logprob - want[tokenId]!)).toBeLessThanOrEqual(distanceMax);
            }
            const likeliest = want.toSorted().toReversed();
            top.forEach(({ logprob }, i) => {
              expect(Math.abs(logprob - likeliest[i]!)).toBeLessThanOrEqual(distanceMax);
            });
            expect(Math.abs(likeliest[rank - 1]! - chosen.logprob)).toBeLessThanOrEqual(
              distanceMax,
            );
          });
        }
      });
    });
  }
}
