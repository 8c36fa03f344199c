// Calls that a worker could not compute as its device was lost: they are asked again.
import type { CallHolder, PendingCall } from "./pending-call.ts";

/** Between two attempts. A device takes from a second to half a minute to be there again. */
const pauseMs = 100;

/** Holds calls until it is time to ask again; each waits for as long as its deadline allows. */
export class PostponedCalls implements CallHolder {
  readonly #address: string;
  readonly #ask: (call: PendingCall) => void;
  readonly #calls = new Set<PendingCall>();
  #detail = "";

  /** @param ask sends a call again */
  constructor(address: string, ask: (call: PendingCall) => void) {
    this.#address = address;
    this.#ask = ask;
  }

  /** @param detail what the worker said */
  add(call: PendingCall, detail: string): void {
    call.moveTo(this);
    this.#detail = detail;
    this.#calls.add(call);
    if (this.#calls.size === 1) setTimeout(() => this.#askAll(), pauseMs).unref();
  }

  release(call: PendingCall): void {
    this.#calls.delete(call);
  }

  explainLate() {
    return { code: "device-lost", detail: `${this.#address}: ${this.#detail}` } as const;
  }

  /** None is asked again. */
  close(): void {
    for (const call of this.#calls) call.reject("cancelled", "the client was closed");
    this.#calls.clear();
  }

  #askAll(): void {
    const calls = [...this.#calls];
    this.#calls.clear();
    for (const call of calls) this.#ask(call);
  }
}
