// What ends calls whatever their workers do: one timer for all of them, and one listener for each
// signal. A timer and a listener for every call would cost as much as all else it does here.

/** A call that waits no longer than its caller. */
export interface BoundedCall {
  /** By performance.now(). */
  readonly expiresAtMs: number;
  readonly signal: AbortSignal | undefined;
  onLate(): void;
  onAbort(): void;
}

/** Timers count milliseconds in 31 bits; longer ones fire at once. */
const timerMsMax = 2 ** 31 - 1;

/** The calls that have not settled. */
class CallBounds {
  readonly #calls = new Set<BoundedCall>();
  readonly #bySignal = new WeakMap<AbortSignal, Set<BoundedCall>>();
  #timer: NodeJS.Timeout | undefined;
  #firesAtMs = Number.POSITIVE_INFINITY;

  /** From now on the call hears when it is late, or aborted. */
  add(call: BoundedCall): void {
    this.#calls.add(call);
    if (call.expiresAtMs < this.#firesAtMs) this.#fireAt(call.expiresAtMs);
    if (call.signal !== undefined) this.#callsOf(call.signal).add(call);
  }

  delete(call: BoundedCall): void {
    this.#calls.delete(call); // the timer stays: the next call is about to need it
    if (call.signal !== undefined) this.#bySignal.get(call.signal)?.delete(call);
  }

  #fireAt(atMs: number): void {
    clearTimeout(this.#timer);
    this.#firesAtMs = atMs;
    const inMs = Math.min(Math.max(0, atMs - performance.now()), timerMsMax);
    // What a call waits for keeps the process alive, and if nothing does, nobody waits.
    this.#timer = setTimeout(() => this.#expire(), inMs).unref();
  }

  #expire(): void {
    const nowMs = performance.now();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const call of [...this.#calls]) {
      if (call.expiresAtMs <= nowMs) call.onLate();
      else nextMs = Math.min(nextMs, call.expiresAtMs);
    }
    this.#firesAtMs = Number.POSITIVE_INFINITY;
    if (nextMs < this.#firesAtMs) this.#fireAt(nextMs);
  }

  #callsOf(signal: AbortSignal): Set<BoundedCall> {
    const known = this.#bySignal.get(signal);
    if (known !== undefined) return known;
    const calls = new Set<BoundedCall>();
    const abortAll = () => {
      for (const call of [...calls]) call.onAbort();
    };
    signal.addEventListener("abort", abortAll, { once: true });
    this.#bySignal.set(signal, calls);
    return calls;
  }
}

/** Those of this process. */
export const callBounds = new CallBounds();
