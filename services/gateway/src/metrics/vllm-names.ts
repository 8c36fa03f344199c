// The same numbers under the names that dashboards, autoscalers and endpoint pickers made for vLLM
// ask for. A subset: what only a scheduler knows is not a gateway's to say.
import type { GenerateFinished } from "@octet/protocol";
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

/** Counters and histograms named vllm:. */
export class VllmNames {
  readonly #success;
  readonly #counters;
  readonly #histograms;

  constructor(registers: Registry[], underWay: () => number, tokensBuckets: readonly number[]) {
    const about = (name: string, help: string) => ({
      name: `vllm:${name}`,
      help,
      labelNames,
      registers,
    });
    const histogram = (name: string, help: string, buckets: readonly number[]) =>
      new Histogram({ ...about(name, help), buckets: [...buckets] });
    new Gauge({
      ...about("num_requests_running", "Answers under way, waiting ones included."),
      labelNames: [],
      collect() {
        this.set(underWay());
      },
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
      answer: histogram("e2e_request_latency_seconds", "To the end.", secondsBuckets),
      queued: histogram("request_queue_time_seconds", "Waiting.", secondsBuckets),
      prefill: histogram("request_prefill_time_seconds", "Prefill.", secondsBuckets),
      decode: histogram("request_decode_time_seconds", "Decode.", secondsBuckets),
      inference: histogram("request_inference_time_seconds", "Both.", secondsBuckets),
      promptTokens: histogram("request_prompt_tokens", "Prompt tokens.", tokensBuckets),
      completionTokens: histogram("request_generation_tokens", "Answer tokens.", tokensBuckets),
    };
  }

  finished(model: string, { reason, finished, times }: FinishedAnswer): void {
    const label = { model_name: model, engine: "0" };
    const { promptTokens, completionTokens } = finished;
    this.#success.inc({ ...label, finished_reason: reason });
    this.#counters.promptTokens.inc(label, promptTokens);
    this.#counters.completionTokens.inc(label, completionTokens);
    const values = {
      ...times,
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
