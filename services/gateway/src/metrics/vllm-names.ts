// The same numbers under the names that dashboards, autoscalers and endpoint pickers made for vLLM
// ask for: a subset, in part asked of the coordinators.
import type { ClusterState, GenerateFinished } from "@octet/protocol";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { secondsBuckets, tokenSecondsBuckets } from "./buckets.ts";

const labelNames = ["model_name", "engine"];

/** One answer's numbers. */
interface FinishedAnswer {
  readonly reason: string;
  readonly finished: GenerateFinished;
  readonly times: {
    readonly firstToken: number;
    readonly answer: number;
    readonly queued: number;
    readonly prefill: number;
    readonly decode: number;
    readonly token: number | undefined;
  };
}

/** One prompt's answers. */
export interface AnsweredRequest {
  readonly n: number;
  /** As asked for; undefined is the rest of the context. */
  readonly maxTokens: number | undefined;
  /** Tokens of the longest. */
  readonly longest: number;
}

/** Counters and histograms named vllm:. */
export class VllmNames {
  readonly #success;
  readonly #counters;
  readonly #histograms;
  readonly #requests;
  readonly #clusters;
  readonly #clusterMetrics;
  readonly #cacheConfig;

  constructor(
    registers: Registry[],
    clusters: () => Promise<readonly ClusterState[]>,
    tokensBuckets: readonly number[],
  ) {
    const about = (name: string, help: string) => ({
      name: `vllm:${name}`,
      help,
      labelNames,
      registers,
    });
    const histogram = (name: string, help: string, buckets: readonly number[]) =>
      new Histogram({ ...about(name, help), buckets: [...buckets] });
    this.#clusters = clusters;
    this.#clusterMetrics = createClusterMetrics(registers);
    this.#cacheConfig = new Gauge({
      ...about("cache_config_info", "The KV cache's shape."),
      labelNames: [...labelNames, "block_size", "num_gpu_blocks"],
    });
    this.#success = new Counter({
      ...about("request_success_total", "Answers that ended well."),
      labelNames: [...labelNames, "finished_reason"],
    });
    this.#counters = {
      promptTokens: new Counter(about("prompt_tokens_total", "Tokens of prompts.")),
      completionTokens: new Counter(about("generation_tokens_total", "Tokens of answers.")),
    };
    this.#histograms = {
      firstToken: histogram("time_to_first_token_seconds", "To the first text.", secondsBuckets),
      token: histogram("inter_token_latency_seconds", "Mean of an answer.", tokenSecondsBuckets),
      tokenMean: histogram(
        "request_time_per_output_token_seconds",
        "Mean of an answer.",
        tokenSecondsBuckets,
      ),
      answer: histogram("e2e_request_latency_seconds", "To the end.", secondsBuckets),
      queued: histogram("request_queue_time_seconds", "Waiting.", secondsBuckets),
      prefill: histogram("request_prefill_time_seconds", "Prefill.", secondsBuckets),
      decode: histogram("request_decode_time_seconds", "Decode.", secondsBuckets),
      inference: histogram("request_inference_time_seconds", "Both.", secondsBuckets),
      promptTokens: histogram("request_prompt_tokens", "Prompt tokens.", tokensBuckets),
      completionTokens: histogram("request_generation_tokens", "Answer tokens.", tokensBuckets),
    };
    this.#requests = {
      n: histogram("request_params_n", "Answers asked for.", [1, 2, 5, 10]),
      maxTokens: histogram("request_params_max_tokens", "Tokens asked for.", tokensBuckets),
      longest: histogram(
        "request_max_num_generation_tokens",
        "Tokens of a prompt's longest answer.",
        tokensBuckets,
      ),
    };
  }

  /** Asks coordinators what only they know; one that does not answer is left out. */
  async refresh(): Promise<void> {
    const states = await this.#clusters();
    this.#cacheConfig.reset();
    for (const { metric } of this.#clusterMetrics) metric.reset();
    for (const [index, state] of states.entries()) {
      const label = { model_name: state.model, engine: String(index) };
      for (const { metric, read } of this.#clusterMetrics) metric.inc(label, read(state));
      const { blockTokens = 0, blocksTotal = 0 } = state.kvCache ?? {};
      // vLLM's names of the labels; here they are blocks of whatever memory attention has.
      this.#cacheConfig.set({ ...label, block_size: blockTokens, num_gpu_blocks: blocksTotal }, 1);
    }
  }

  /** All answers to one prompt have ended. */
  answered(model: string, { n, maxTokens, longest }: AnsweredRequest): void {
    const label = { model_name: model, engine: "0" };
    this.#requests.n.observe(label, n);
    this.#requests.longest.observe(label, longest);
    if (maxTokens !== undefined) this.#requests.maxTokens.observe(label, maxTokens);
  }

  finished(model: string, { reason, finished, times }: FinishedAnswer): void {
    const label = { model_name: model, engine: "0" };
    const { promptTokens, completionTokens } = finished;
    this.#success.inc({ ...label, finished_reason: reason });
    if (finished.index === 0) this.#counters.promptTokens.inc(label, promptTokens);
    this.#counters.completionTokens.inc(label, completionTokens);
    const values = {
      ...times,
      tokenMean: times.token,
      inference: times.prefill + times.decode,
      promptTokens,
      completionTokens,
    };
    for (const [name, histogram] of Object.entries(this.#histograms)) {
      const value = values[name as keyof typeof values];
      if (value !== undefined) histogram.observe(label, value);
    }
  }
}

/** Each with how it is read from a cluster's state. */
function createClusterMetrics(registers: Registry[]) {
  const reads: Record<string, (state: ClusterState) => number> = {
    num_requests_running: ({ scheduler }) => scheduler?.running ?? 0,
    num_requests_waiting: ({ scheduler }) => scheduler?.waiting ?? 0,
    kv_cache_usage_perc: ({ kvCache }) => usedShare(kvCache),
    prefix_cache_queries_total: ({ kvCache }) => Number(kvCache?.prefixQueriesTokens ?? 0n),
    prefix_cache_hits_total: ({ kvCache }) => Number(kvCache?.prefixHitsTokens ?? 0n),
    num_preemptions_total: ({ scheduler }) => Number(scheduler?.preemptions ?? 0n),
  };
  return Object.entries(reads).map(([name, read]) => {
    const help = "As the coordinator says.";
    const about = { name: `vllm:${name}`, help, labelNames, registers };
    return { read, metric: name.endsWith("_total") ? new Counter(about) : new Gauge(about) };
  });
}

function usedShare(kvCache: ClusterState["kvCache"]): number {
  if (kvCache === undefined || kvCache.blocksTotal === 0) return 0;
  const { blocksTotal, blocksFree, blocksCached } = kvCache;
  return (blocksTotal - blocksFree - blocksCached) / blocksTotal;
}
