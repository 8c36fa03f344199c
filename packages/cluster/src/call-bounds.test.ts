import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { type BoundedCall, callBounds } from "./call-bounds.ts";

/** A call that notes down what ended it, and when. */
class NotedCall implements BoundedCall {
  readonly expiresAtMs: number;
  readonly signal: AbortSignal | undefined;
  readonly #startMs = performance.now();
  lateAfterMs: number | undefined;
  isAborted = false;

  constructor(inMs: number, signal?: AbortSignal) {
    this.expiresAtMs = this.#startMs + inMs;
    this.signal = signal;
    callBounds.add(this);
  }
  onLate(): void {
    this.lateAfterMs = performance.now() - this.#startMs;
    callBounds.delete(this);
  }
  onAbort(): void {
    this.isAborted = true;
    callBounds.delete(this);
  }
}

test("each call is late at its own time, in whatever order they come", async () => {
  const calls = [200, 40, 5_000, 120, 1, 80].map((inMs) => ({ inMs, call: new NotedCall(inMs) }));
  await delay(400);
  for (const { inMs, call } of calls) {
    if (inMs === 5_000) {
      expect(call.lateAfterMs).toBeUndefined();
      callBounds.delete(call);
    } else {
      expect(call.lateAfterMs).toBeGreaterThanOrEqual(inMs);
      expect(call.lateAfterMs).toBeLessThan(inMs + 150);
    }
  }
});

test("a call that is over hears nothing, and others go on hearing", async () => {
  const [over, waiting] = [new NotedCall(20), new NotedCall(60)];
  callBounds.delete(over);
  await delay(150);
  expect(over.lateAfterMs).toBeUndefined();
  expect(waiting.lateAfterMs).toBeGreaterThanOrEqual(60);
});

test("an abort is heard by the calls of its signal that are not over, and by no other", () => {
  const [own, other] = [new AbortController(), new AbortController()];
  const calls = [own, own, other].map(({ signal }) => new NotedCall(5_000, signal));
  const over = new NotedCall(5_000, own.signal);
  callBounds.delete(over);
  own.abort();
  expect(calls.map((call) => call.isAborted)).toEqual([true, true, false]);
  expect(over.isAborted).toBe(false);
  callBounds.delete(calls[2]!);
});

test("a deadline of a month is not now", async () => {
  const call = new NotedCall(31 * 24 * 3600 * 1000);
  await delay(50);
  expect(call.lateAfterMs).toBeUndefined();
  callBounds.delete(call);
});
