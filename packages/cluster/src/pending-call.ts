// One call's promise, with the two things that end it whatever the worker does: time and abort.
import assert from "node:assert/strict";
import type { ActivationRows, ExpertId } from "@octet/core";
import { type ExpertCallCode, ExpertCallError, type ExpertReply } from "@octet/engine";
import { type BoundedCall, callBounds } from "./call-bounds.ts";

/** What is asked of an expert. */
export interface ExpertQuestion {
  readonly layer: number;
  readonly expertId: ExpertId;
  readonly input: ActivationRows;
}

/** How long the caller waits. */
export interface CallOptions {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

/** Where a call is now: who must forget it, and what to say if it is late there. */
export interface CallHolder {
  readonly workerId?: string | undefined;
  /** The caller gave up. */
  release(call: PendingCall): void;
  explainLate(): { code: ExpertCallCode; detail: string };
}

/** A call that has not been answered yet. It settles once; what comes later is ignored. */
export class PendingCall implements BoundedCall {
  readonly question: ExpertQuestion;
  readonly reply: Promise<ExpertReply>;
  readonly expiresAtMs: number;
  readonly signal: AbortSignal | undefined;
  /** What its holder calls it. */
  id = 0n;
  readonly #settlers: PromiseWithResolvers<ExpertReply>;
  #holder: CallHolder | undefined;
  #isSettled = false;

  constructor(question: ExpertQuestion, { deadlineMs, signal }: CallOptions) {
    assert(deadlineMs > 0, `deadlineMs ${deadlineMs}`);
    this.question = question;
    this.#settlers = Promise.withResolvers();
    this.reply = this.#settlers.promise;
    this.expiresAtMs = performance.now() + deadlineMs;
    this.signal = signal;
    callBounds.add(this);
    if (signal?.aborted) this.onAbort();
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** What is left of the deadline, in whole ms, at least 1. */
  get timeoutMs(): number {
    return Math.max(1, Math.ceil(this.expiresAtMs - performance.now()));
  }

  /** From now on `holder` has the call, and may call it by an id. */
  moveTo(holder: CallHolder, id = 0n): void {
    this.#holder = holder;
    this.id = id;
  }

  resolve(reply: ExpertReply): void {
    if (this.#settle()) this.#settlers.resolve(reply);
  }

  reject(code: ExpertCallCode, detail: string, cause?: unknown): void {
    if (!this.#settle()) return;
    const { layer, expertId } = this.question;
    const at = { layer, expertId, workerId: this.#holder?.workerId };
    this.#settlers.reject(new ExpertCallError(code, at, { detail, cause }));
  }

  onLate(): void {
    const late = this.#holder?.explainLate() ?? {
      code: "deadline-exceeded",
      detail: "its time ran out",
    };
    this.#giveUp(late.code, late.detail);
  }

  onAbort(): void {
    this.#giveUp("cancelled", "the caller cancelled it");
  }

  #giveUp(code: ExpertCallCode, detail: string): void {
    if (this.#isSettled) return;
    this.#holder?.release(this);
    this.reject(code, detail);
  }

  #settle(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    callBounds.delete(this);
    return true;
  }
}
