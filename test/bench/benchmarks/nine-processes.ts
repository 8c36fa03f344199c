// Nine processes over gRPC beside the same engines in one process.
import assert from "node:assert/strict";
import type { Bar } from "../harness/bar.ts";
import type { BenchSetting } from "../harness/bench-setting.ts";
import type { Benchmark, Measurement } from "../harness/benchmark.ts";
import { runPairs } from "../harness/paired-run.ts";
import {
  type DecodeRequest,
  makePrompts,
  type TextGenerator,
  tokensPerSecond,
} from "../harness/text-generator.ts";

const dtype = "q4";
const decodePromptTokens = 16;
/** Nine processes on a few cores take turns as the system likes: short samples say little. */
const decodeSteps = 96;
const prefillTokens = 512;
/**
 * Runs before any that counts. A service runs for weeks; V8 compiles what handles a call when it has
 * been called some thousand times, and each worker gets a quarter of a sequence's.
 */
const decodeWarmUpRuns = 8;

/** Decode of one sequence. */
export function clusterDecode(name: string, bars: readonly Bar[]): Benchmark {
  return {
    name,
    about: `decode in ${dtype} in nine processes, one sequence; peer: one process`,
    unit: "tokens/s",
    bars,
    measure: (setting) => {
      const prompts = makePrompts(1, decodePromptTokens, vocabSize);
      const request: DecodeRequest = { prompts, steps: decodeSteps };
      const shapes = `2 layers of Mixtral 8x7B, ${decodePromptTokens} + ${decodeSteps} tokens`;
      return compare(setting, { shapes, warmUpRuns: decodeWarmUpRuns }, async (side) => {
        const result = await side.decode(request);
        return { perSecond: tokensPerSecond(request, result), tokenIds: result.tokenIds.flat() };
      });
    },
  };
}

/** Prefill of one prompt. */
export function clusterPrefill(name: string, bars: readonly Bar[]): Benchmark {
  return {
    name,
    about: `prefill of ${prefillTokens} tokens in ${dtype} in nine processes; peer: one process`,
    unit: "tokens/s",
    bars,
    measure: (setting) => {
      const [prompt] = makePrompts(1, prefillTokens, vocabSize);
      const shapes = `2 layers of Mixtral 8x7B, ${prefillTokens} tokens`;
      return compare(setting, { shapes, warmUpRuns: 1 }, async (side) => {
        const { ms, tokenId } = await side.prefill(prompt!);
        return { perSecond: (prefillTokens * 1000) / ms, tokenIds: [tokenId] };
      });
    },
  };
}

/** How late the coordinator's event loop is while one sequence is decoded and prompts come in. */
export function eventLoopDelay(name: string, bars: readonly Bar[]): Benchmark {
  return {
    name,
    about: "99th percentile of the coordinator's event-loop delay while it generates",
    unit: "ms",
    bars,
    measure: async (setting) => {
      const cluster = await setting.cluster(dtype);
      const prompts = makePrompts(2, prefillTokens, vocabSize);
      const busy = () => cluster.decode({ prompts, steps: decodeSteps });
      await busy();
      const delays = [];
      for (let i = 0; i < setting.pairs; i++) delays.push(await cluster.watchEventLoop(busy));
      return {
        samples: delays.map(({ p99Ms }) => p99Ms),
        shapes: `2 layers of Mixtral 8x7B, 2 × (${prefillTokens} + ${decodeSteps}) tokens`,
        dtype,
        threads: setting.threads,
        facts: { maxMs: Math.max(...delays.map(({ maxMs }) => maxMs)) },
      };
    },
  };
}

const vocabSize = 32_000;

/** Measures both sides, and that they generate the same tokens. */
async function compare(
  setting: BenchSetting,
  { shapes, warmUpRuns }: { readonly shapes: string; readonly warmUpRuns: number },
  run: (side: TextGenerator) => Promise<{ perSecond: number; tokenIds: readonly number[] }>,
): Promise<Measurement> {
  const octet = await setting.octet(dtype);
  const cluster = await setting.cluster(dtype);
  const expected = (await run(octet)).tokenIds;
  for (let i = 0; i < warmUpRuns; i++) {
    await run(octet);
    await run(cluster);
  }
  const measure = async (side: TextGenerator) => {
    const { perSecond, tokenIds } = await run(side);
    assert.deepEqual(tokenIds, expected, "one process and nine generate the same tokens");
    return perSecond;
  };
  const samples = await runPairs({
    pairs: setting.pairs,
    ours: () => measure(cluster),
    theirs: () => measure(octet),
  });
  return {
    samples: samples.ours,
    peer: { name: "one process", samples: samples.theirs },
    shapes,
    dtype,
    threads: setting.threads,
    facts: { ...cluster.meanCall },
  };
}
