// What a coordinator counts of its calls to experts: rows, bytes, times, failures, and who was last.
import { ExpertCallError, type ExpertClient, type ExpertReply } from "@octet/engine";
import { callSecondsBuckets, type Metrics } from "@octet/telemetry/metrics";
import { LayerCalls } from "./layer-calls.ts";

type ExpertCall = Parameters<ExpertClient["forward"]>[0];

/** The same experts; each call is counted into `metrics`. The caller closes only one of the two. */
export function meterExperts(
  experts: ExpertClient,
  metrics: Metrics,
  nowMs: () => number = () => performance.now(),
): ExpertClient {
  const calls = meterCalls(metrics);
  const layers = meterLayers(metrics);
  let current: LayerCalls | undefined;
  /** One layer's experts are asked in one go: before anything else can happen. */
  const callsWith = ({ layer, expertId }: ExpertCall): LayerCalls => {
    if (current?.takes(layer, expertId)) return current;
    const opened = new LayerCalls(layer, layers);
    current = opened;
    queueMicrotask(() => {
      if (current === opened) current = undefined;
      opened.close();
    });
    return opened;
  };
  return {
    async forward(call, options) {
      const all = callsWith(call);
      all.asked(call.expertId);
      calls.asked(call);
      const startedMs = nowMs();
      try {
        const reply = await experts.forward(call, options);
        const seconds = (nowMs() - startedMs) / 1000;
        calls.answered(call, reply, seconds);
        all.answered(call.expertId, seconds);
        return reply;
      } catch (error) {
        calls.failed(call, error);
        all.failed();
        throw error;
      }
    },
    close: () => experts.close(),
  };
}

function meterCalls(metrics: Metrics) {
  const rows = metrics.counter({
    name: "expert_rows_total",
    help: "Rows that the expert was asked for.",
    labels: ["expert"],
  });
  const bytes = metrics.counter({
    name: "expert_bytes_total",
    help: "Bytes of rows, sent to the expert and received from it, without what frames them.",
    labels: ["expert", "direction"],
  });
  const failures = metrics.counter({
    name: "expert_call_failures_total",
    help: "Calls that the expert did not answer, by reason.",
    labels: ["expert", "reason"],
  });
  const latency = metrics.histogram({
    name: "expert_call_seconds",
    help: "From asking the expert to having its answer, by the coordinator's clock.",
    labels: ["expert"],
    buckets: callSecondsBuckets,
  });
  return {
    asked({ expertId, input }: ExpertCall): void {
      const expert = String(expertId);
      rows.add(input.rows, { expert });
      bytes.add(input.data.byteLength, { expert, direction: "sent" });
    },
    answered({ expertId }: ExpertCall, { output }: ExpertReply, seconds: number): void {
      const expert = String(expertId);
      latency.observe(seconds, { expert });
      bytes.add(output.data.byteLength, { expert, direction: "received" });
    },
    failed({ expertId }: ExpertCall, error: unknown): void {
      const reason = error instanceof ExpertCallError ? error.code : "internal";
      failures.add(1, { expert: String(expertId), reason });
    },
  };
}

function meterLayers(metrics: Metrics) {
  const lags = metrics.histogram({
    name: "layer_straggler_seconds",
    help: "From the median of a layer's answers to its last: what waiting for one expert costs.",
    buckets: callSecondsBuckets,
  });
  const slowest = metrics.counter({
    name: "expert_slowest_total",
    help: "Layers whose last answer was this expert's, of those that asked several.",
    labels: ["expert"],
  });
  const failed = metrics.counter({
    name: "layers_failed_total",
    help: "Layers with a call that failed: what can do without it is computed again.",
  });
  return {
    answered(lagSeconds: number, slowestId: number): void {
      lags.observe(lagSeconds);
      slowest.add(1, { expert: String(slowestId) });
    },
    failed: () => failed.add(1),
  };
}
