// A client that closes its connection wants its answer no more.
import type { ServerResponse } from "node:http";
import { ApiError } from "./api-error.ts";

/** Aborted when the connection ends before the answer was sent whole. */
export function clientGoneSignal(response: ServerResponse): AbortSignal {
  const abort = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) abort.abort(goneError());
  });
  if (response.destroyed) abort.abort(goneError());
  return abort.signal;
}

function goneError(): ApiError {
  return new ApiError("cancelled", "the client closed its connection");
}
