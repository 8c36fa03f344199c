// A call that streams an answer: written as its reader reads, cancelled when its client is gone.
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { Deadline, ServerWritableStream } from "@grpc/grpc-js";
import type { FailureReason } from "@octet/protocol";
import type { GrpcModule } from "@octet/service";
import type { Logger } from "@octet/telemetry";
import { isOurFault, RequestError, toFailure } from "./request-error.ts";

/** What an answer needs to know of its call. */
export interface AnswerCall {
  readonly requestId: string;
  /** Aborted when nobody waits for the answer any more; by a TimeoutError at the deadline. */
  readonly signal: AbortSignal;
  /** The call's deadline by performance.now; undefined if it has none. */
  readonly deadlineMs: number | undefined;
}

/**
 * How long before a call's deadline it is ended, in ms: at the deadline itself grpc-js ends it, with
 * a status that does not say why.
 */
const deadlineLeadMs = 5;
/** Longest that a timer of Node's can wait, in ms: 25 days. */
const timerMsMax = 2 ** 31 - 1;

/** What calls are answered with. */
export interface AnswerOptions {
  readonly log: Logger;
  readonly grpc: GrpcModule;
  /** Told why a call failed, "cancelled" included. */
  readonly onFailed?: ((reason: FailureReason) => void) | undefined;
}

/**
 * Writes what `answer` yields, and ends the call with its failure's status if it throws. The call's
 * end by the client, or its deadline, aborts the signal; a client that reads slowly holds back only
 * its own stream.
 */
export async function streamAnswer<Request, Response>(
  call: ServerWritableStream<Request, Response>,
  { log, grpc, onFailed }: AnswerOptions,
  answer: (about: AnswerCall) => AsyncIterable<Response>,
): Promise<void> {
  const requestId = randomUUID();
  const abort = new AbortController();
  const deadlineMs = toMonotonic(call.getDeadline());
  const timer = setTimer(deadlineMs, () => {
    abort.abort(new DOMException("the call's deadline passed", "TimeoutError"));
  });
  call.on("cancelled", () => abort.abort());
  // A broken stream ends in "cancelled" too; without a listener it would end the process.
  call.on("error", () => abort.abort());
  try {
    for await (const message of answer({ requestId, signal: abort.signal, deadlineMs })) {
      if (!call.write(message) && !abort.signal.aborted) {
        await once(call, "drain", { signal: abort.signal });
      }
    }
    call.end();
  } catch (error) {
    const ofRequest = log.child({ requestId });
    if (call.cancelled) {
      ofRequest.debug("request cancelled");
      onFailed?.("cancelled");
      call.end();
      return;
    }
    const cause = abort.signal.aborted ? timedOut() : error;
    if (isOurFault(cause)) logFault(cause, ofRequest);
    const failure = toFailure(cause);
    onFailed?.(failure.reason);
    call.emit("error", grpc.toServiceError(failure));
  } finally {
    clearTimeout(timer);
  }
}

/** A little before the deadline, by a clock that nobody sets. */
function toMonotonic(deadline: Deadline): number | undefined {
  const leftMs = Number(deadline) - Date.now() - deadlineLeadMs;
  return Number.isFinite(leftMs) ? performance.now() + leftMs : undefined;
}

function setTimer(deadlineMs: number | undefined, onDeadline: () => void) {
  if (deadlineMs === undefined) return undefined;
  const leftMs = deadlineMs - performance.now();
  return leftMs > timerMsMax ? undefined : setTimeout(onDeadline, Math.max(0, leftMs));
}

function timedOut(): RequestError {
  return new RequestError("timeout", "the request's deadline passed before its answer was whole");
}

function logFault(error: unknown, log: Logger): void {
  log.error("request failed", {
    errorCode: "internal",
    detail: error instanceof Error ? error.message : String(error),
    ...(error instanceof Error ? { stack: error.stack } : {}),
  });
}
