// A client that closes its connection wants its answer no more.
import type { ServerResponse } from "node:http";

/** Aborted when the connection ends before the answer was sent whole. */
export function clientGoneSignal(response: ServerResponse): AbortSignal {
  const abort = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) abort.abort(new Error("the client closed its connection"));
  });
  if (response.destroyed) abort.abort(new Error("the client closed its connection"));
  return abort.signal;
}
