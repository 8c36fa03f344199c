// Tokens answered a second with guesses at the next tokens and without, where they are right, where
// they are not, and where workers are further away.
import assert from "node:assert/strict";
import type { Benchmark } from "../harness/benchmark.ts";
import { runPairs } from "../harness/paired-run.ts";
import { makePrompts } from "../harness/text-generator.ts";
import { startGuessingPair } from "../octet/guessing-pair.ts";
import type { Sampling } from "../octet/token-stream.ts";

const dtype = "q4";
const promptTokens = 32;
const vocabSize = 32_000;

/** What is said, and how far the workers are. */
export interface SpeculationCase {
  /**
   * Random weights never repeat themselves of their own accord. Greedy among 32 tokens, they soon go
   * round in a circle of some; drawn from 8, each guess has about one chance in eight.
   */
  readonly text: "repeats" | "random";
  readonly delayMs?: number;
  readonly answerTokens: number;
}

const samplings: Record<SpeculationCase["text"], Sampling> = {
  repeats: { temperature: 0, allowedTokenIds: everyNth(32) },
  random: { temperature: 1, seed: 7n, allowedTokenIds: everyNth(8) },
};

/** `count` token ids, spread over the vocabulary. */
function everyNth(count: number): number[] {
  return Array.from({ length: count }, (_, i) => 100 + i * Math.floor(31_000 / count));
}

/** One stream through nine processes, over gRPC. */
export function speculation(name: string, about: SpeculationCase): Benchmark {
  const { text, delayMs, answerTokens } = about;
  const where = delayMs === undefined ? "" : `, workers ${delayMs} ms away each way`;
  return {
    name,
    about:
      `tokens/s of one stream of ${promptTokens} + ${answerTokens} tokens, a text that ` +
      `${text === "repeats" ? "repeats itself" : "is random"}${where}; peer: no guesses`,
    unit: "tokens/s",
    bars: [],
    measure: async (setting) => {
      const { threads } = setting;
      const cluster = await setting.cluster(dtype);
      const { shardsDir } = await setting.models.pair(dtype);
      await using pair = await startGuessingPair({ cluster, shardsDir, threads, delayMs });
      const prompts = makePrompts(1, promptTokens, vocabSize);
      const request = { prompts, steps: answerTokens - 1 };
      const { tokenIds } = await pair.serve("off", request, samplings[text]);
      const measure = async (way: "auto" | "off") => {
        const result = await pair.serve(way, request, samplings[text]);
        assert.deepEqual(result.tokenIds, tokenIds, "guesses change no token");
        return (answerTokens * 1000) / result.ms;
      };
      const samples = await runPairs({
        pairs: setting.pairs,
        ours: () => measure("auto"),
        theirs: () => measure("off"),
      });
      return {
        samples: samples.ours,
        peer: { name: "no guesses", samples: samples.theirs },
        shapes: `2 layers of Mixtral 8x7B, 1 × (${promptTokens} + ${answerTokens}) tokens`,
        dtype,
        threads,
        facts: { ...(await pair.draftCounts()), answers: setting.pairs + 1 },
      };
    },
  };
}
