// What readers of running answers notice of a long prompt, by how many tokens a step may have.
import assert from "node:assert/strict";
import { rowsPerCallMax } from "@octet/core";
import type { Benchmark } from "../harness/benchmark.ts";
import { runPairs } from "../harness/paired-run.ts";
import { median, quantile } from "../harness/statistics.ts";
import { makePrompts } from "../harness/text-generator.ts";
import type { GapRequest, GapResult } from "../octet/time-token-gaps.ts";

const dtype = "q4";
const runningAnswers = 4;
const runningPromptTokens = 16;
const steps = 64;

/** Chunks of at most so many tokens, beside as few as there can be. */
export interface ChunkCase {
  /** A step's tokens. The peer's are as many as an expert call may have rows. */
  readonly stepTokens: number;
  readonly arrivalTokens: number;
}

/** In one process: the scheduler is the same, and both budgets can be had in turn. */
export function chunkedPrefill(name: string, { stepTokens, arrivalTokens }: ChunkCase): Benchmark {
  return {
    name,
    about:
      `99th percentile from token to token of ${runningAnswers} answers while a prompt of ` +
      `${arrivalTokens} arrives, steps of ${stepTokens}; peer: steps of ${rowsPerCallMax}; ` +
      "ratio: peer/value",
    unit: "ms",
    bars: [],
    measure: async (setting) => {
      const octet = await setting.octet(dtype);
      const { vocabSize } = octet.model;
      const prompts = makePrompts(runningAnswers, runningPromptTokens, vocabSize);
      const arrival = makePrompts(runningAnswers + 1, arrivalTokens, vocabSize).at(-1)!;
      const request: GapRequest = { prompts, steps, arrival };
      const seen = { small: [] as GapResult[], large: [] as GapResult[] };
      const measure = async (results: GapResult[], budget: number) => {
        const result = await octet.tokenGaps(request, budget);
        results.push(result);
        return quantile(result.gapsMs, 0.99);
      };
      const samples = await runPairs({
        pairs: setting.pairs,
        ours: () => measure(seen.small, stepTokens),
        theirs: () => measure(seen.large, rowsPerCallMax),
      });
      for (const { tokenIds } of [...seen.small, ...seen.large]) {
        assert.deepEqual(tokenIds, seen.small[0]!.tokenIds, "chunks change no token");
      }
      const arrivalMs = (results: readonly GapResult[]) => {
        return median(results.slice(1).map((result) => result.arrivalMs));
      };
      return {
        samples: samples.ours,
        peer: { name: `steps of ${rowsPerCallMax}`, samples: samples.theirs },
        ratios: samples.ours.map((ms, i) => samples.theirs[i]! / ms),
        shapes: `2 layers of Mixtral 8x7B, ${runningAnswers} answers, a prompt of ${arrivalTokens}`,
        dtype,
        threads: setting.threads,
        // What the prompt that arrives pays for it: the time to its first token.
        facts: { arrivalMs: arrivalMs(seen.small), peerArrivalMs: arrivalMs(seen.large) },
      };
    },
  };
}
