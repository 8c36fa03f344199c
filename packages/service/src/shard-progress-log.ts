import type { Logger } from "@octet/telemetry";

/** Least time between two events of one load, in ms. */
const intervalMs = 250;

/** Logs how much of a shard has been checked, for whoever watches the start of a cluster. */
export function shardProgressLog(
  log: Logger,
): (progress: { doneBytes: number; totalBytes: number }) => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  return ({ doneBytes, totalBytes }) => {
    const nowMs = performance.now();
    if (nowMs - lastMs < intervalMs && doneBytes < totalBytes) return;
    lastMs = nowMs;
    log.info("shard loading", { doneBytes, totalBytes });
  };
}
