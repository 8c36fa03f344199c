// Decode after as long a prompt as the context holds, through nine processes.
import assert from "node:assert/strict";
import type { Benchmark } from "../harness/benchmark.ts";
import { makePrompts, tokensPerSecond } from "../harness/text-generator.ts";

const dtype = "q4";
const vocabSize = 32_000;
const contextTokens = 32_768;
const steps = 64;
/** Found computed, all but the last block, by every decode after the first. */
const promptTokens = 32_000;

/** One sequence. The prompt is computed once, which takes minutes. */
export function longContextDecode(name: string): Benchmark {
  return {
    name,
    about: `decode in ${dtype} in nine processes, one sequence after ${promptTokens} tokens`,
    unit: "tokens/s",
    bars: [],
    measure: async (setting) => {
      const workers = await setting.sharedWorkers(dtype);
      const settings = { OCTET_KV_TOKENS: String(contextTokens), OCTET_SPECULATION: "off" };
      const generator = await workers.startCoordinator({ settings, linkDelayMs: 0 });
      const prompts = makePrompts(1, promptTokens, vocabSize);
      const { ms } = await generator.prefillRemembering(prompts[0]!);
      const request = { prompts, steps };
      const first = await generator.decodeRemembering(request);
      const samples = [];
      for (let i = 0; i < setting.pairs; i++) {
        const result = await generator.decodeRemembering(request);
        assert.deepEqual(result.tokenIds, first.tokenIds, "the same prompt gives the same tokens");
        samples.push(tokensPerSecond(request, result));
      }
      return {
        samples,
        shapes: `2 layers of Mixtral 8x7B, ${promptTokens} + ${steps} tokens`,
        dtype,
        threads: setting.threads,
        facts: { prefillPerSecond: (promptTokens * 1000) / ms },
      };
    },
  };
}
