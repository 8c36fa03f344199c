// Concurrent streams through the gRPC API of nine processes, beside llama.cpp's parallel sequences.
import assert from "node:assert/strict";
import type { BenchSetting } from "../harness/bench-setting.ts";
import type { Benchmark, Measurement } from "../harness/benchmark.ts";
import { runPairs } from "../harness/paired-run.ts";
import { type DecodeResult, makePrompts, shareOfEqualTokens } from "../harness/text-generator.ts";
import type { BenchDtype } from "../model/bench-models.ts";

/** What is served. */
export interface ServeCase {
  readonly dtype: BenchDtype;
  readonly streams: number;
  readonly promptTokens: number;
  readonly answerTokens: number;
}

/** V8 compiles what handles a call when it was called often enough: see nine-processes.ts. */
const warmUpRuns = 3;

/** A benchmark of one case: tokens answered a second, prompts and all. */
export function serveBenchmark(name: string, about: ServeCase): Benchmark {
  const { dtype, streams, promptTokens, answerTokens } = about;
  const many = streams === 1 ? "one stream" : `${streams} streams at once`;
  return {
    name,
    about:
      `serve in ${dtype} by nine processes over gRPC, ${many} of ${promptTokens} + ` +
      `${answerTokens} tokens; peer: llama.cpp`,
    unit: "tokens/s",
    bars: [],
    measure: (setting) => measureServe(about, setting),
  };
}

async function measureServe(about: ServeCase, setting: BenchSetting): Promise<Measurement> {
  const { dtype, streams, promptTokens, answerTokens } = about;
  const { octet, llama, logitsDifference } = await setting.contest(dtype);
  const cluster = await setting.cluster(dtype);
  const prompts = makePrompts(streams, promptTokens, octet.model.vocabSize);
  const request = { prompts, steps: answerTokens - 1 };
  const perSecond = ({ ms }: DecodeResult) => (streams * answerTokens * 1000) / ms;
  let theirs!: DecodeResult;
  const { tokenIds } = await cluster.serve(request);
  for (let i = 1; i < warmUpRuns; i++) await cluster.serve(request);
  const samples = await runPairs({
    pairs: setting.pairs,
    ours: async () => {
      const ours = await cluster.serve(request);
      assert.deepEqual(ours.tokenIds, tokenIds, "whoever is beside it, a stream has its tokens");
      return perSecond(ours);
    },
    theirs: async () => {
      theirs = await llama.serve({ ...request, forced: tokenIds });
      return perSecond(theirs);
    },
  });
  return {
    samples: samples.ours,
    peer: { name: "llama.cpp", samples: samples.theirs },
    shapes: `2 layers of Mixtral 8x7B, ${streams} × (${promptTokens} + ${answerTokens}) tokens`,
    dtype,
    threads: setting.threads,
    facts: {
      sameTokens: shareOfEqualTokens(tokenIds, theirs.tokenIds),
      logitsDifference,
      peerVersion: llama.about,
    },
  };
}
