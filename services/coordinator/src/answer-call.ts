// A call that streams an answer: written as its reader reads, cancelled when its client is gone.
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { ServerWritableStream } from "@grpc/grpc-js";
import type { Logger } from "@octet/telemetry";
import { isOurFault, toStatus } from "./request-error.ts";

/** What an answer needs to know of its call. */
export interface AnswerCall {
  readonly requestId: string;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/**
 * Writes what `answer` yields, and ends the call with its failure's status if it throws. The call's
 * end by the client, or its deadline, aborts the signal; a client that reads slowly holds back only
 * its own stream.
 */
export async function streamAnswer<Request, Response>(
  call: ServerWritableStream<Request, Response>,
  log: Logger,
  answer: (about: AnswerCall) => AsyncIterable<Response>,
): Promise<void> {
  const requestId = randomUUID();
  const abort = new AbortController();
  call.on("cancelled", () => abort.abort());
  // A broken stream ends in "cancelled" too; without a listener it would end the process.
  call.on("error", () => abort.abort());
  try {
    for await (const message of answer({ requestId, signal: abort.signal })) {
      if (!call.write(message) && !abort.signal.aborted) {
        await once(call, "drain", { signal: abort.signal });
      }
    }
    call.end();
  } catch (error) {
    const ofRequest = log.child({ requestId });
    if (abort.signal.aborted) {
      ofRequest.debug("request cancelled");
      call.end();
      return;
    }
    if (isOurFault(error)) {
      ofRequest.error("request failed", {
        errorCode: "internal",
        detail: error instanceof Error ? error.message : String(error),
        ...(error instanceof Error ? { stack: error.stack } : {}),
      });
    }
    call.emit("error", toStatus(error));
  }
}
