// Prefill: tokens a second from a prompt to the first token after it, beside llama.cpp and what
// the integer units can do.
import type { Bar } from "../harness/bar.ts";
import type { BenchSetting } from "../harness/bench-setting.ts";
import type { Benchmark, Measurement } from "../harness/benchmark.ts";
import { runPairs } from "../harness/paired-run.ts";
import { makePrompts } from "../harness/text-generator.ts";
import type { BenchDtype } from "../model/bench-models.ts";
import { costsOf } from "../model/model-costs.ts";

/** What is prefilled. */
export interface PrefillCase {
  readonly dtype: BenchDtype;
  readonly promptTokens: number;
}

/** A benchmark of one case, in one process. */
export function prefillBenchmark(
  name: string,
  about: PrefillCase,
  bars: readonly Bar[],
): Benchmark {
  return {
    name,
    about: `prefill of ${about.promptTokens} tokens in ${about.dtype}; peer: llama.cpp`,
    unit: "tokens/s",
    bars,
    measure: (setting) => measurePrefill(about, setting),
  };
}

async function measurePrefill(about: PrefillCase, setting: BenchSetting): Promise<Measurement> {
  const { dtype, promptTokens } = about;
  const { octet, llama, logitsDifference } = await setting.contest(dtype);
  const limits = await setting.limits(dtype);
  const { model } = octet;
  const [prompt] = makePrompts(1, promptTokens, model.vocabSize);
  const perSecond = ({ ms }: { readonly ms: number }) => (promptTokens * 1000) / ms;
  const samples = await runPairs({
    pairs: setting.pairs,
    ours: async () => perSecond(await octet.prefill(prompt!)),
    theirs: async () => perSecond(await llama.prefill(prompt!)),
    limit: async () => (await limits.measure("int8-peak")).perSecond,
  });
  const costs = costsOf(model, dtype);
  const opsPerToken = costs.tokenOps + costs.logitsOps / promptTokens;
  return {
    samples: samples.ours,
    peer: { name: "llama.cpp", samples: samples.theirs },
    limit: {
      name: "int8-peak",
      samples: samples.limits,
      shares: samples.ours.map((tokens, i) => (tokens * opsPerToken) / samples.limits[i]!),
    },
    shapes: `2 layers of Mixtral 8x7B, ${promptTokens} tokens`,
    dtype,
    threads: setting.threads,
    facts: { opsPerToken, logitsDifference, peerVersion: llama.about },
  };
}
