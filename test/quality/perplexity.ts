// How well a model predicts text: what weights lose on the way shows here.
import { type OneProcessModel, sequencesMax } from "../golden/one-process-model.ts";
import type { HeldOutText } from "./held-out-text.ts";

/** exp of the mean of -ln p over the predicted tokens of all texts, in f64. */
export async function perplexity(
  model: OneProcessModel,
  texts: readonly HeldOutText[],
): Promise<number> {
  let sum = 0;
  let count = 0;
  for (let first = 0; first < texts.length; first += sequencesMax) {
    const some = texts.slice(first, first + sequencesMax);
    const results = await model.run(
      some.map(({ tokenIds }) => ({ tokenIds, chunks: [tokenIds.length] })),
    );
    for (const [index, { tokenIds, isPredicted }] of some.entries()) {
      const { logits } = results[index]!;
      for (let position = 1; position < tokenIds.length; position++) {
        if (!isPredicted[position]) continue;
        const row = logits.subarray((position - 1) * model.vocabSize, position * model.vocabSize);
        sum += surprise(row, tokenIds[position]!);
        count += 1;
      }
    }
  }
  return Math.exp(sum / count);
}

/** -ln of the softmax of `logits` at `tokenId`. */
function surprise(logits: Float32Array, tokenId: number): number {
  const most = logits.reduce((a, b) => Math.max(a, b));
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - most);
  return Math.log(sum) + most - logits[tokenId]!;
}
