// The name of one request, in its answer's headers and in the log.
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** What a client may name its request: printable, and short enough for a log. */
const requestIdPattern = /^[\w.:-]{1,128}$/;

/** The client's x-request-id where it is a plain word, or else a new one. */
export function requestIdOf(request: Pick<IncomingMessage, "headers">): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && requestIdPattern.test(given) ? given : randomUUID();
}
