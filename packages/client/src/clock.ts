import { setTimeout as delay } from "node:timers/promises";

/** Time, as calls see it. */
export interface Clock {
  readonly nowMs: () => number;
  /** Rejects as soon as the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The machine's own. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, { signal }),
};
