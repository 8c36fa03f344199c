// The golden models on the GPU engine, end to end, with SwiftShader as the GPU.
import { useSwiftShader } from "@octet/kernels";
import { expect, test, vi } from "vitest";
import { relativeL2ByRow } from "./explain-differences.ts";
import { goldenModels, readGoldenPrompts } from "./golden-files.ts";
import { withGoldenModel } from "./one-process-model.ts";

useSwiftShader(process.env);
vi.setConfig({ testTimeout: 240_000 }); // a CPU that stands for a GPU, beside other tests

/** As of the other engines: errors are of the sums' order alone. */
const rowDistanceMax = 1e-5;

/** Tokens of each text: all 64 of one model, so that the whole takes a minute or two. */
const textTokens = (name: string) => (name === "plain" ? 64 : 16);

for (const { name } of goldenModels) {
  test(`webgpu, ${name}: f32 logits and greedy text of four prompts at once are transformers'`, async () => {
    await withGoldenModel({ name, weightDtype: "f32", kind: "webgpu" }, async (model) => {
      const prompts = readGoldenPrompts(name);
      // One step takes each prompt and its text, as far as it is given a token for.
      const sequences = prompts.map(({ tokenIds, f32 }) => {
        const all = [...tokenIds, ...f32.greedyTokenIds.subarray(0, -1)];
        return { tokenIds: all, chunks: [all.length] };
      });
      const results = await model.run(sequences);
      for (const [index, { tokenIds, f32, experts }] of prompts.entries()) {
        const { logits, experts: chosen } = results[index]!;
        const ofPrompt = logits.subarray(0, tokenIds.length * model.vocabSize);
        for (const distance of relativeL2ByRow(ofPrompt, f32.logits, model.vocabSize)) {
          expect(distance).toBeLessThanOrEqual(rowDistanceMax);
        }
        expect(chosen).toEqual(experts);
      }
      const texts = await model.generateGreedy(
        prompts.map((prompt) => ({
          promptTokenIds: prompt.tokenIds,
          maxTokens: textTokens(name),
        })),
      );
      expect(texts).toEqual(
        prompts.map(({ f32: { greedyTokenIds } }) =>
          Array.from(greedyTokenIds.subarray(0, textTokens(name))),
        ),
      );
    });
  });
}
