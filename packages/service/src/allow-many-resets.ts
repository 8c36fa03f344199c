import type { ServerOptions } from "node:http2";
import type { Server } from "@grpc/grpc-js";

/**
 * Calls that one connection may have cancelled at once, and then each second. A gateway has one
 * connection for all of its clients, so that those who cancel must not take it from the others. Node
 * would close it, and end every call on it, at 1,000 and 33.
 */
const resetsAtOnce = 10_000;
const resetsPerSecond = 1_000;

/** What grpc-js gives node:http2 for each server that it makes; it is private to it. */
interface Http2Options {
  readonly commonServerOptions?: ServerOptions;
}

/**
 * Lets clients of `server` cancel more calls than Node expects of anybody. Call before it listens.
 *
 * @throws {Error} if grpc-js is no longer made as this expects
 */
export function allowManyResets(server: Server): void {
  const { commonServerOptions } = server as unknown as Http2Options;
  if (typeof commonServerOptions !== "object") {
    throw new Error("expected grpc-js's Server to have commonServerOptions; see allowManyResets");
  }
  commonServerOptions.streamResetBurst = resetsAtOnce;
  commonServerOptions.streamResetRate = resetsPerSecond;
}
