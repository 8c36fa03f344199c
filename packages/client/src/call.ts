// One call of a user's, over all its attempts: bounds, cancellation, and where it is tried next.
import type { InferenceService } from "@octet/protocol";
import type { CallBounds, GrpcClient } from "@octet/protocol/grpc-client";
import type { Clock } from "./clock.ts";
import { DeadlineExceededError, OctetError, toOctetError } from "./errors.ts";
import { isRetryable, type RetryPolicy, RetrySchedule } from "./retry-schedule.ts";

/** Bounds of one call. */
export interface CallOptions {
  /** Longest the whole call may take, its retries and its stream included. */
  readonly deadlineMs?: number;
  /** Aborting it ends the call, at the coordinator and its workers too, with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** One coordinator. */
export interface Endpoint {
  readonly address: string;
  readonly service: GrpcClient<typeof InferenceService>;
}

/** A call failed at one address and is tried again. */
export interface Retry {
  readonly error: OctetError;
  /** Where it is tried next, and after how long. */
  readonly address: string;
  readonly waitMs: number;
}

/** What all calls of a client share. */
export interface CallContext {
  readonly endpoints: readonly Endpoint[];
  readonly retry: RetryPolicy;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onRetry: (retry: Retry) => void;
  /** Which endpoint new calls ask first: one that failed is left for the next. */
  readonly preferred: { index: number };
}

/** The attempts of one call. Must be ended. */
export class Call {
  readonly #context: CallContext;
  readonly #deadlineMs: number;
  readonly #deadlineAtMs: number;
  readonly #abort = new AbortController();
  readonly #schedule: RetrySchedule;
  readonly #userSignal: AbortSignal | undefined;
  #index: number;

  constructor(context: CallContext, options: { deadlineMs: number; signal?: AbortSignal }) {
    this.#context = context;
    this.#deadlineMs = options.deadlineMs;
    this.#deadlineAtMs = context.clock.nowMs() + options.deadlineMs;
    this.#schedule = new RetrySchedule(context.retry, context.endpoints.length, context.random);
    this.#index = context.preferred.index;
    this.#userSignal = options.signal;
    options.signal?.addEventListener("abort", this.#onUserAbort, { once: true });
    if (options.signal?.aborted) this.#onUserAbort();
  }

  /** Where to ask now, and within which bounds. @throws if there is no time, or no more interest */
  begin(): { service: Endpoint["service"]; bounds: CallBounds } {
    this.#abort.signal.throwIfAborted();
    const deadlineMs = this.#deadlineAtMs - this.#context.clock.nowMs();
    const { service, address } = this.#endpoint;
    if (deadlineMs <= 0) {
      const message = `not done within its deadline of ${this.#deadlineMs} ms`;
      const failure = { reason: "timeout", message } as const;
      throw new DeadlineExceededError("DEADLINE_EXCEEDED", address, failure);
    }
    return { service, bounds: { deadlineMs, signal: this.#abort.signal } };
  }

  /** Returns when the call may begin again. @throws what the user is told, if it may not */
  async retryAfter(error: unknown): Promise<void> {
    const { clock, preferred, onRetry } = this.#context;
    const told = this.explain(error);
    if (!(told instanceof OctetError) || !isRetryable(told)) throw told;
    const { retryAfterMs } = told;
    const next = this.#schedule.next(this.#index, { nowMs: clock.nowMs(), retryAfterMs });
    if (next === undefined) throw told;
    if (clock.nowMs() + next.waitMs >= this.#deadlineAtMs) throw told;
    if (preferred.index === this.#index) preferred.index = next.addressIndex;
    this.#index = next.addressIndex;
    onRetry({ error: told, address: this.address, waitMs: next.waitMs });
    if (next.waitMs === 0) return;
    try {
      await clock.sleep(next.waitMs, this.#abort.signal);
    } catch (interrupted) {
      throw this.explain(interrupted);
    }
  }

  /** What the user is told of a failure. */
  explain(error: unknown): unknown {
    if (this.#abort.signal.aborted) return this.#abort.signal.reason;
    return toOctetError(error, this.address);
  }

  /** Which coordinator is being asked. */
  get address(): string {
    return this.#endpoint.address;
  }

  /** Something new came: failures before it count no more. */
  progressed(): void {
    this.#schedule.progressed();
  }

  /** Ends whatever is under way. */
  abort(reason: unknown): void {
    this.#abort.abort(reason);
  }

  /** Nothing more will be asked. */
  end(): void {
    this.#userSignal?.removeEventListener("abort", this.#onUserAbort);
  }

  get #endpoint(): Endpoint {
    return this.#context.endpoints[this.#index]!;
  }

  readonly #onUserAbort = (): void => this.#abort.abort(this.#userSignal?.reason);
}
