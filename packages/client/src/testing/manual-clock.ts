import type { Clock } from "../clock.ts";

/** A clock that a test turns: sleeping takes no time, and is written down. */
export class ManualClock implements Clock {
  readonly slept: number[] = [];
  #nowMs = 0;
  readonly nowMs = (): number => this.#nowMs;
  readonly sleep = async (ms: number, signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    this.slept.push(ms);
    this.#nowMs += ms;
  };
}
