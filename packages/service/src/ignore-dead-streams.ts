import type { ServerHttp2Stream } from "node:http2";
import type { Server } from "@grpc/grpc-js";

/** The part of grpc-js's Server that node:http2 calls for each stream; it is private to it. */
interface StreamHandling {
  _streamHandler(interceptors: unknown, stream: ServerHttp2Stream, headers: unknown): void;
}

/**
 * Keeps streams from `server` that are gone before it hears of them. grpc-js 1.14.7 answers those
 * with a wrong content type or an unknown method all the same, node:http2 throws, and whoever sends
 * such a call and broken bytes behind it has ended the process. Call before the server listens.
 *
 * @throws {Error} if grpc-js is no longer made as this expects
 */
export function ignoreDeadStreams(server: Server): void {
  const handling = server as unknown as StreamHandling;
  const handle = handling._streamHandler;
  if (typeof handle !== "function") {
    throw new Error("expected grpc-js's Server to have _streamHandler; see ignoreDeadStreams");
  }
  handling._streamHandler = (interceptors, stream, headers) => {
    stream.on("error", () => {}); // its end is heard of in other ways; unheard, this ends the process
    if (!stream.destroyed) handle.call(server, interceptors, stream, headers);
  };
}
