import { isQuantised, weightDtypes } from "@octet/core";
import { expect, test } from "vitest";
import { goldenModels, readGoldenPrompts } from "./golden-files.ts";
import { type ChunkedSequence, engineKinds, withGoldenModel } from "./one-process-model.ts";

/** How often `size` fits, and the rest. */
function chunksOf(size: number, numTokens: number): number[] {
  const whole = Array.from<number>({ length: Math.floor(numTokens / size) }).fill(size);
  return numTokens % size === 0 ? whole : [...whole, numTokens % size];
}

/** Eight different sequences of 4 to 53 tokens: prompts with more or less of their text. */
function eightSequences(name: string): number[][] {
  return readGoldenPrompts(name).flatMap(({ tokenIds, f32 }, index) =>
    [3 + index, 20].map((given) => [...tokenIds, ...f32.greedyTokenIds.subarray(0, given)]),
  );
}

for (const kind of engineKinds) {
  for (const { name, inBlocks } of goldenModels) {
    for (const weightDtype of weightDtypes) {
      if (isQuantised(weightDtype) && !inBlocks) continue;
      const about = `${kind}, ${name}, ${weightDtype}`;

      test(`${about}: chunked prefill and cached decode equal whole prefill, bitwise`, async () => {
        await withGoldenModel({ name, weightDtype, kind }, async (model) => {
          const { tokenIds, f32 } = readGoldenPrompts(name)[3]!;
          const all = [...tokenIds, ...f32.greedyTokenIds.subarray(0, 16)];
          const [whole] = await model.run([{ tokenIds: all, chunks: [all.length] }]);
          const decodes = chunksOf(1, all.length - tokenIds.length);
          for (const chunks of [
            [tokenIds.length, ...decodes],
            chunksOf(1, all.length),
            chunksOf(7, all.length),
            chunksOf(16, all.length),
            [1, all.length - 1],
          ]) {
            const [found] = await model.run([{ tokenIds: all, chunks }]);
            expect(
              Buffer.from(found!.logits.buffer).equals(Buffer.from(whole!.logits.buffer)),
            ).toBe(true);
            expect(found!.experts).toEqual(whole!.experts);
          }
        });
      });

      test(`${about}: logits and text of eight at once are those of each alone`, async () => {
        await withGoldenModel({ name, weightDtype, kind }, async (model) => {
          const sequences = eightSequences(name).map(
            (tokenIds, index): ChunkedSequence => ({
              tokenIds,
              chunks: chunksOf(5 + 6 * index, tokenIds.length),
            }),
          );
          const together = await model.run(sequences);
          const requests = sequences.map(({ tokenIds }) => ({
            promptTokenIds: tokenIds,
            maxTokens: 8,
          }));
          const texts = await model.generateGreedy(requests);
          for (const [index, { tokenIds }] of sequences.entries()) {
            const [alone] = await model.run([{ tokenIds, chunks: [tokenIds.length] }]);
            const found = Buffer.from(together[index]!.logits.buffer);
            expect(found.equals(Buffer.from(alone!.logits.buffer))).toBe(true);
            expect([texts[index]]).toEqual(await model.generateGreedy([requests[index]!]));
          }
        });
      });
    }
  }
}
