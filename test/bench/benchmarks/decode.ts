// Decode: tokens a second of sequences side by side, beside llama.cpp and the memory's speed.
import type { Bar } from "../harness/bar.ts";
import type { BenchSetting } from "../harness/bench-setting.ts";
import type { Benchmark, Measurement } from "../harness/benchmark.ts";
import { runPairs } from "../harness/paired-run.ts";
import {
  type DecodeResult,
  makePrompts,
  shareOfEqualTokens,
  tokensPerSecond,
} from "../harness/text-generator.ts";
import type { BenchDtype } from "../model/bench-models.ts";
import { costsOf } from "../model/model-costs.ts";

/** What is decoded. */
export interface DecodeCase {
  readonly dtype: BenchDtype;
  readonly sequences: number;
  /** Of each prompt; the first decoded token stands at this position. */
  readonly promptTokens: number;
  /** Timed steps of one sample. */
  readonly steps: number;
}

/** A benchmark of one case, in one process. */
export function decodeBenchmark(name: string, about: DecodeCase, bars: readonly Bar[]): Benchmark {
  const { dtype, sequences, promptTokens } = about;
  const many = sequences === 1 ? "one sequence" : `${sequences} sequences together`;
  return {
    name,
    about: `decode in ${dtype}, ${many}, after ${promptTokens} tokens; peer: llama.cpp`,
    unit: "tokens/s",
    bars,
    measure: (setting) => measureDecode(about, setting),
  };
}

async function measureDecode(about: DecodeCase, setting: BenchSetting): Promise<Measurement> {
  const { dtype, sequences, promptTokens, steps } = about;
  const { octet, llama, logitsDifference } = await setting.contest(dtype);
  const limits = await setting.limits(dtype);
  const { model } = octet;
  const request = { prompts: makePrompts(sequences, promptTokens, model.vocabSize), steps };
  // The warm-up begins with ours: the peer takes our tokens, to ask the same experts for as many
  // rows.
  let ours!: Awaited<ReturnType<typeof octet.decode>>;
  let theirs!: DecodeResult;
  const samples = await runPairs({
    pairs: setting.pairs,
    ours: async () => {
      ours = await octet.decode(request);
      return tokensPerSecond(request, ours);
    },
    theirs: async () => {
      theirs = await llama.decode({ ...request, forced: ours.tokenIds });
      return tokensPerSecond(request, theirs);
    },
    limit: async () => (await limits.measure("read-bandwidth")).perSecond,
  });
  const costs = costsOf(model, dtype);
  const positions = promptTokens + steps / 2; // as many on average
  const callsPerStep = ours.expertCalls / steps;
  const stepBytes =
    costs.sharedBytes + callsPerStep * costs.expertBytes + sequences * positions * costs.kvBytes;
  return {
    samples: samples.ours,
    peer: { name: "llama.cpp", samples: samples.theirs },
    limit: {
      name: "read-bandwidth",
      samples: samples.limits,
      shares: samples.ours.map((perSecond, i) => {
        return ((perSecond / sequences) * stepBytes) / samples.limits[i]!;
      }),
    },
    shapes: `2 layers of Mixtral 8x7B, ${sequences} × (${promptTokens} + ${steps}) tokens`,
    dtype,
    threads: setting.threads,
    facts: {
      expertsPerLayer: callsPerStep / model.numLayers,
      stepBytes,
      sameTokens: shareOfEqualTokens(ours.tokenIds, theirs.tokenIds),
      logitsDifference,
      peerVersion: llama.about,
    },
  };
}
