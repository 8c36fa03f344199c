// What a gateway counts, under names of ours; vllm-names.ts has others for the same numbers.
import type { ClusterState, GenerateFinished } from "@octet/protocol";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ApiError } from "../http/api-error.ts";
import { secondsBuckets, tokenSecondsBuckets, tokensBuckets } from "./buckets.ts";
import { type AnsweredRequest, VllmNames } from "./vllm-names.ts";

/** Who is told how one answer goes. Times are from when it was asked for. */
export interface AnswerObserver {
  /** The first text came, or none and the answer is finished. */
  firstToken(): void;
  finished(reason: string, finished: GenerateFinished): void;
}

/** What is read when metrics are asked for. */
export interface GatewayState {
  readonly answersUnderWay: () => number;
  readonly isReady: () => boolean;
  readonly clusters: () => Promise<readonly ClusterState[]>;
}

/** Counters and their text form. */
export class GatewayMetrics {
  readonly #registry = new Registry();
  readonly #vllm: VllmNames | undefined;
  readonly #requests;
  readonly #requestSeconds;
  readonly #rejected;
  readonly #answers;
  readonly #promptTokens;
  readonly #generationTokens;
  readonly #seconds;
  #open = 0;

  /**
   * @param state gauges are read when the text is asked for
   * @param compat whether the same numbers are under vLLM's names too
   */
  constructor(state: GatewayState, compat: "vllm" | "none") {
    const registers = [this.#registry];
    const about = (name: string, help: string, labelNames: string[]) => ({
      name,
      help,
      labelNames,
      registers,
    });
    const seconds = (name: string, help: string, buckets = secondsBuckets) =>
      new Histogram({ ...about(name, help, ["model_name"]), buckets });
    const http = ["handler", "method"];
    this.#requests = new Counter(
      about("http_requests_total", "HTTP requests by status class.", [...http, "status"]),
    );
    this.#requestSeconds = new Histogram({
      ...about("http_request_duration_seconds", "From a request's arrival to its end.", http),
      buckets: secondsBuckets,
    });
    this.#rejected = new Counter(
      about("octet_gateway_requests_rejected_total", "Requests refused or failed, by code.", [
        "reason",
      ]),
    );
    this.#answers = new Counter(
      about("octet_gateway_answers_total", "Answers that ended well.", [
        "model_name",
        "finished_reason",
      ]),
    );
    this.#promptTokens = new Counter(
      about("octet_gateway_prompt_tokens_total", "Tokens of prompts.", ["model_name"]),
    );
    this.#generationTokens = new Counter(
      about("octet_gateway_generation_tokens_total", "Tokens of answers.", ["model_name"]),
    );
    this.#seconds = {
      firstToken: seconds(
        "octet_gateway_time_to_first_token_seconds",
        "From arrival to the first text.",
      ),
      token: seconds(
        "octet_gateway_inter_token_seconds",
        "Between two tokens, on average over one answer.",
        tokenSecondsBuckets,
      ),
      answer: seconds("octet_gateway_answer_seconds", "From arrival to the answer's end."),
      queued: seconds("octet_gateway_queue_seconds", "Waiting at the coordinator."),
      prefill: seconds("octet_gateway_prefill_seconds", "From the first step to the first token."),
      decode: seconds("octet_gateway_decode_seconds", "From the first token to the last."),
    };
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        ...about(name, help, []),
        collect() {
          this.set(read());
        },
      });
    gauge("octet_gateway_answers_under_way", "Answers under way.", state.answersUnderWay);
    gauge("octet_gateway_requests_open", "Requests that have not ended.", () => this.#open);
    gauge("octet_gateway_ready", "1 while a coordinator is ready.", () => Number(state.isReady()));
    this.#vllm =
      compat === "vllm" ? new VllmNames(registers, state.clusters, tokensBuckets) : undefined;
  }

  /** Begins one answer. */
  observe(model: string): AnswerObserver {
    const startedMs = performance.now();
    const sinceStart = () => (performance.now() - startedMs) / 1000;
    let firstTokenSeconds: number | undefined;
    return {
      firstToken: () => {
        firstTokenSeconds ??= sinceStart();
      },
      finished: (reason, finished) => {
        const times = {
          firstToken: firstTokenSeconds ?? sinceStart(),
          answer: sinceStart(),
          ...toSeconds(finished),
        };
        const label = { model_name: model };
        this.#answers.inc({ ...label, finished_reason: reason });
        if (finished.index === 0) this.#promptTokens.inc(label, finished.promptTokens);
        this.#generationTokens.inc(label, finished.completionTokens);
        for (const [name, histogram] of Object.entries(this.#seconds)) {
          const value = times[name as keyof typeof times];
          if (value !== undefined) histogram.observe(label, value);
        }
        this.#vllm?.finished(model, { reason, finished, times });
      },
    };
  }

  /** All answers to one prompt have ended. */
  answered(model: string, request: AnsweredRequest): void {
    this.#vllm?.answered(model, request);
  }

  opened(): void {
    this.#open++;
  }

  request(about: { handler: string; method: string; status: number; seconds: number }): void {
    this.#open--;
    const { handler, method } = about;
    const status = `${Math.floor(about.status / 100)}xx`;
    this.#requests.inc({ handler, method, status });
    this.#requestSeconds.observe({ handler, method }, about.seconds);
  }

  rejected({ code }: ApiError): void {
    this.#rejected.inc({ reason: code });
  }

  /** In Prometheus' text format, with its content type. */
  async text(): Promise<{ readonly body: string; readonly contentType: string }> {
    await this.#vllm?.refresh();
    return { body: await this.#registry.metrics(), contentType: this.#registry.contentType };
  }
}

/** By the coordinator's clock. */
function toSeconds({ timings, completionTokens }: GenerateFinished) {
  const decode = Number(timings?.decodeUs ?? 0n) / 1e6;
  return {
    queued: Number(timings?.queuedUs ?? 0n) / 1e6,
    prefill: Number(timings?.prefillUs ?? 0n) / 1e6,
    decode,
    token: completionTokens > 1 ? decode / (completionTokens - 1) : undefined,
  };
}
