// When a call that failed is tried again, and where. No clock and no chance of its own.
import { type OctetError, OverloadedError, UnavailableError } from "./errors.ts";

/** How often and how soon a failed call is tried again. */
export interface RetryPolicy {
  /** How often each address is asked before the call fails, the first time included. */
  readonly attemptsMax: number;
  /** Bound of the first wait. Each round over all addresses doubles it. */
  readonly delayMs: number;
  /** No wait is bounded by more than this. */
  readonly delayMsMax: number;
}

/** Gives a coordinator that restarts some seconds. */
export const defaultRetryPolicy: RetryPolicy = { attemptsMax: 6, delayMs: 200, delayMsMax: 5_000 };

/**
 * Whether asking again may help. Answers are functions of their requests, so asking twice is always
 * safe; a request that was refused is refused again. Too large a message is RESOURCE_EXHAUSTED as well,
 * and stays too large: only a coordinator that says when it expects room is asked again.
 */
export function isRetryable(error: OctetError): boolean {
  if (error instanceof OverloadedError) return error.retryAfterMs !== undefined;
  return error instanceof UnavailableError;
}

/** What to do after a failure. */
export interface NextAttempt {
  readonly addressIndex: number;
  readonly waitMs: number;
}

/**
 * The attempts of one call. The next address is asked at once; after a round over all of them there
 * is a wait, chosen evenly from 0 to a bound that doubles, so that clients which failed together do
 * not return together. An address that said when to come back is not asked sooner.
 */
export class RetrySchedule {
  readonly #policy: RetryPolicy;
  readonly #numAddresses: number;
  readonly #random: () => number;
  /** For each address, when it may be asked again. */
  readonly #notBeforeMs: number[];
  #failures = 0;

  /** @param random numbers in [0, 1) */
  constructor(policy: RetryPolicy, numAddresses: number, random: () => number) {
    this.#policy = policy;
    this.#numAddresses = numAddresses;
    this.#random = random;
    this.#notBeforeMs = Array(numAddresses).fill(0);
  }

  /** What follows a failure at an address; undefined once every address was asked often enough. */
  next(
    failedIndex: number,
    { nowMs, retryAfterMs = 0 }: { nowMs: number; retryAfterMs?: number | undefined },
  ): NextAttempt | undefined {
    const { attemptsMax, delayMs, delayMsMax } = this.#policy;
    this.#failures++;
    this.#notBeforeMs[failedIndex] = nowMs + retryAfterMs;
    const rounds = Math.floor(this.#failures / this.#numAddresses);
    if (rounds >= attemptsMax) return undefined;
    const addressIndex = (failedIndex + 1) % this.#numAddresses;
    const toldMs = Math.max(0, this.#notBeforeMs[addressIndex]! - nowMs);
    const roundEnded = this.#failures % this.#numAddresses === 0;
    const bound = Math.min(delayMsMax, delayMs * 2 ** (rounds - 1));
    return { addressIndex, waitMs: toldMs + (roundEnded ? this.#random() * bound : 0) };
  }

  /** Something new came: what failed before counts no more. */
  progressed(): void {
    this.#failures = 0;
  }
}
