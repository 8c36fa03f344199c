// What a coordinator counts: requests, tokens and the KV cache.
import type { EngineLoad, GenerateEvent } from "@octet/engine";
import type { FailureReason } from "@octet/protocol";
import { type Metrics, requestSecondsBuckets } from "@octet/telemetry/metrics";

/** Counts what happens to requests. */
export interface RequestMetrics {
  /** The same events; their times are counted as they are read. */
  watch(events: AsyncIterable<GenerateEvent>): AsyncGenerator<GenerateEvent, void>;
  /** A call of Generate or Chat that failed. */
  failed(reason: FailureReason): void;
}

/** What gauges are read from. */
export interface CoordinatorGauges {
  load(): EngineLoad;
  workers(): readonly { readonly expertIds: readonly number[]; readonly state: string }[];
}

/** Adds a coordinator's gauges to `metrics`. */
export function addGauges(metrics: Metrics, { load, workers }: CoordinatorGauges): void {
  const gauge = (name: string, help: string, read: (now: EngineLoad) => number) =>
    metrics.gauge({ name, help }, () => [{ value: read(load()) }]);
  gauge("requests_running", "Sequences that hold KV blocks.", (now) => now.activeSequences);
  gauge("requests_waiting", "Requests that wait for KV blocks.", (now) => now.queuedSequences);
  gauge("kv_blocks", "KV blocks in all.", (now) => now.numBlocks);
  gauge("kv_blocks_free", "KV blocks that hold nothing.", (now) => now.freeBlocks);
  gauge(
    "kv_blocks_cached",
    "KV blocks that no sequence holds and a prompt may find again.",
    (now) => now.cachedBlocks,
  );
  gauge(
    "kv_usage_ratio",
    "Share of the KV blocks that sequences hold, 0 to 1.",
    (now) => 1 - (now.freeBlocks + now.cachedBlocks) / now.numBlocks,
  );
  metrics.readCounter(
    { name: "prefix_queries_tokens_total", help: "Tokens of prompts that were looked up." },
    () => load().prefix.queriesTokens,
  );
  metrics.readCounter(
    { name: "prefix_hits_tokens_total", help: "Of those, tokens that were found computed." },
    () => load().prefix.hitsTokens,
  );
  metrics.readCounter(
    { name: "preemptions_total", help: "Sequences that gave up their blocks for another." },
    () => load().preemptions,
  );
  metrics.readCounter(
    { name: "draft_tokens_total", help: "Tokens that were guessed and checked." },
    () => load().drafts.numDrafts,
  );
  metrics.readCounter(
    { name: "draft_tokens_accepted_total", help: "Of those, tokens that were right." },
    () => load().drafts.numAccepted,
  );
  metrics.readCounter({ name: "steps_total", help: "Steps of the engine." }, () => load().steps);
  metrics.readCounter(
    { name: "halved_steps_total", help: "Of those, steps that were computed in two halves." },
    () => load().halvedSteps,
  );
  metrics.gauge(
    { name: "expert_up", help: "Whether the expert can be asked.", labels: ["expert"] },
    () =>
      workers().flatMap(({ expertIds, state }) =>
        expertIds.map((id) => ({
          value: state === "ready" ? 1 : 0,
          labels: { expert: String(id) },
        })),
      ),
  );
}

/** Counts requests into `metrics`. @param nowMs monotonic */
export function createRequestMetrics(
  metrics: Metrics,
  nowMs: () => number = () => performance.now(),
): RequestMetrics {
  const finished = metrics.counter({
    name: "requests_finished_total",
    help: "Answers that ended well, by what ended them.",
    labels: ["reason"],
  });
  const failures = metrics.counter({
    name: "requests_failed_total",
    help: "Calls of Generate and Chat that failed, by reason.",
    labels: ["reason"],
  });
  const promptTokens = metrics.counter({
    name: "prompt_tokens_total",
    help: "Tokens of the prompts of answers that ended well.",
  });
  const generated = metrics.counter({
    name: "generated_tokens_total",
    help: "Tokens that clients were sent.",
  });
  const seconds = (name: string, help: string) =>
    metrics.histogram({ name, help, buckets: requestSecondsBuckets });
  const first = seconds("time_to_first_token_seconds", "From a request's receipt to its token.");
  const next = seconds("inter_token_seconds", "From one token of an answer to the next.");
  const whole = seconds("request_seconds", "From a request's receipt to its answer's end.");
  return {
    failed: (reason) => failures.add(1, { reason }),
    async *watch(events) {
      const startedMs = nowMs();
      const lastMs = new Map<number, number>();
      for await (const event of events) {
        const eventMs = nowMs();
        if (event.kind === "delta" && event.tokenIds.length > 0) {
          const count = event.tokenIds.length;
          generated.add(count);
          const beforeMs = lastMs.get(event.index);
          if (beforeMs === undefined) first.observe((eventMs - startedMs) / 1000);
          // A slow reader gets several at once: they came evenly, as far as anybody can tell.
          else for (let i = 0; i < count; i++) next.observe((eventMs - beforeMs) / 1000 / count);
          lastMs.set(event.index, eventMs);
        } else if (event.kind === "finished") {
          finished.add(1, { reason: event.reason });
          if (event.index === 0) promptTokens.add(event.usage.promptTokens); // shared by all
          whole.observe((eventMs - startedMs) / 1000);
        }
        yield event;
      }
    },
  };
}
