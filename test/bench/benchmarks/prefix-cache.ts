// Time to first token of a prompt whose beginning was computed before, with the prefix cache and
// without.
import assert from "node:assert/strict";
import type { Benchmark } from "../harness/benchmark.ts";
import { runPairs } from "../harness/paired-run.ts";
import { makePrompts, type PrefillResult } from "../harness/text-generator.ts";

const dtype = "q4";
const prefixTokens = 512;
/** New in every prompt, after the prefix. */
const suffixTokens = 16;
const vocabSize = 32_000;

/** In nine processes, over gRPC. */
export function prefixCache(name: string): Benchmark {
  return {
    name,
    about:
      `time to first token of ${prefixTokens} tokens computed before and ${suffixTokens} new ` +
      "ones; peer: prefix cache off; ratio: off/on",
    unit: "ms",
    bars: [],
    measure: async (setting) => {
      const cluster = await setting.cluster(dtype);
      const [prefix] = makePrompts(1, prefixTokens, vocabSize);
      await cluster.prefillRemembering(prefix!);
      // One more than pairs: the first is the warm-up's.
      const suffixes = makePrompts(setting.pairs + 2, suffixTokens, vocabSize).slice(1);
      const prompts = suffixes.map((suffix) => [...prefix!, ...suffix]);
      const withCache: PrefillResult[] = [];
      const without: PrefillResult[] = [];
      const samples = await runPairs({
        pairs: setting.pairs,
        ours: async () => {
          const found = await cluster.prefillRemembering(prompts[withCache.length]!);
          assert.equal(found.cachedTokens, prefixTokens, "the prefix is found, and no more");
          withCache.push(found);
          return found.ms;
        },
        theirs: async () => {
          const computed = await cluster.prefill(prompts[without.length]!);
          without.push(computed);
          return computed.ms;
        },
      });
      const tokenIds = (results: readonly PrefillResult[]) => results.map((r) => r.tokenId);
      assert.deepEqual(tokenIds(withCache), tokenIds(without), "the cache changes no token");
      return {
        samples: samples.ours,
        peer: { name: "cache off", samples: samples.theirs },
        ratios: samples.ours.map((ms, i) => samples.theirs[i]! / ms),
        shapes: `2 layers of Mixtral 8x7B, ${prefixTokens} + ${suffixTokens} tokens`,
        dtype,
        threads: setting.threads,
      };
    },
  };
}
