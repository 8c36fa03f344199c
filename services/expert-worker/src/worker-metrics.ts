// What a worker counts: for each expert, rows, waiting, computing and failures.
import { callSecondsBuckets, type Metrics } from "@octet/telemetry/metrics";
import type { CallObserver } from "./call-runner.ts";

/** Counts into `metrics`. */
export function createCallObserver(metrics: Metrics): CallObserver {
  const labels = ["expert"] as const;
  const calls = metrics.counter({
    name: "worker_calls_total",
    help: "Calls answered or failed.",
    labels,
  });
  const rows = metrics.counter({ name: "worker_rows_total", help: "Rows of those calls.", labels });
  const failures = metrics.counter({
    name: "worker_call_failures_total",
    help: "Calls that failed, by reason.",
    labels: ["expert", "reason"],
  });
  const queued = metrics.histogram({
    name: "worker_queue_seconds",
    help: "Time from a call's receipt to its computation.",
    labels,
    buckets: callSecondsBuckets,
  });
  const computed = metrics.histogram({
    name: "worker_compute_seconds",
    help: "Time of a call's computation, which it may share with others.",
    labels,
    buckets: callSecondsBuckets,
  });
  return {
    onSettled({ expertId, rows: rowsOfCall, queuedMs, computedMs, failure }) {
      const expert = { expert: String(expertId) };
      calls.add(1, expert);
      rows.add(rowsOfCall, expert);
      queued.observe(queuedMs / 1000, expert);
      if (failure === undefined) computed.observe(computedMs / 1000, expert);
      else failures.add(1, { ...expert, reason: failure });
    },
  };
}
