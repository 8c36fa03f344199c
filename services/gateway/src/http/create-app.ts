// A fastify server with what all of ours have: limits, request ids, one kind of error.
import { once } from "node:events";
import { type IncomingMessage, METHODS } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "@octet/telemetry";
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import { ApiError, retryHeaders, toErrorBody } from "./api-error.ts";
import { parseJsonBody } from "./parse-json-body.ts";
import { requestIdOf } from "./request-id.ts";

/** Longest a client may take to send one request, in ms. */
const requestTimeoutMs = 60_000;
/** Longest a connection may stay open without a request: longer than what proxies keep theirs, in ms. */
const keepAliveTimeoutMs = 75_000;
/** Most bytes of a request's headers. */
const headerBytesMax = 16_384;

/** Longest to read on what is too large, in ms. */
const readAwayMs = 5_000;

/** Methods that a path of ours may have. */
const methods = ["GET", "POST"] as const;

/** Who is told of requests and refusals. */
export interface AppObserver {
  /** A request has come; to be told of its end by `request`. */
  opened(): void;
  request(about: { handler: string; method: string; status: number; seconds: number }): void;
  rejected(error: ApiError): void;
}

/** Nothing is served yet; what is not served gets 404, or 405 where another method is. */
export function createApp(
  log: Logger,
  options: { readonly bodyBytesMax: number; readonly observer?: AppObserver },
): FastifyInstance {
  const refuse = (reply: FastifyReply, error: ApiError) => {
    options.observer?.rejected(error);
    sendError(reply, error, log);
  };
  const app = Fastify({
    logger: false,
    bodyLimit: options.bodyBytesMax,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    genReqId: requestIdOf,
    forceCloseConnections: "idle",
    return503OnClosing: false,
    http: { maxHeaderSize: headerBytesMax },
    clientErrorHandler: refuseConnection,
    frameworkErrors: (error, _request, reply) => refuse(reply, toApiError(error)),
  });
  // Else fastify refuses a method that it does not know before it looks at the path.
  for (const method of METHODS) {
    if (!app.supportedMethods.includes(method)) app.addHttpMethod(method);
  }
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, bytes, done) => {
    try {
      done(null, parseJsonBody(bytes as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
    reply.header("x-content-type-options", "nosniff");
    const arrivedMs = performance.now();
    options.observer?.opened();
    // fastify's onResponse does not come for a reply that was taken over, as streams are.
    reply.raw.once("close", () => {
      const about = {
        handler: request.routeOptions.url ?? "none",
        method: request.method,
        status: reply.raw.writableFinished ? reply.raw.statusCode : 499,
        seconds: (performance.now() - arrivedMs) / 1000,
      };
      options.observer?.request(about);
      log.debug("request", { requestId: request.id, ...about });
    });
    // Before a body is read that nobody wants.
    if (request.is404) refuseUnserved(app, request, reply, refuse);
  });
  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const failure = toApiError(error);
    if (failure.code === "request_too_large") await readAway(request.raw);
    refuse(reply, failure);
    return reply;
  });
  app.setNotFoundHandler((request, reply) => refuseUnserved(app, request, reply, refuse));
  return app;
}

function refuseUnserved(
  app: FastifyInstance,
  request: FastifyRequest,
  reply: FastifyReply,
  refuse: (reply: FastifyReply, error: ApiError) => void,
): void {
  const url = request.url.replace(/\?.*/s, "");
  const allowed = methods.filter((method) => app.findRoute({ method, url }) !== null);
  if (allowed.length > 0) reply.header("allow", allowed.join(", "));
  const code = allowed.length > 0 ? "method_not_allowed" : "not_found";
  const message = `expected ${allowed.join(" or ") || "a path that is served; see /docs"}`;
  refuse(reply, new ApiError(code, `${message}, found another`));
}

/** A client that is still sending would hear of a broken pipe rather than of its mistake. */
async function readAway(body: IncomingMessage): Promise<void> {
  body.resume();
  const ended = body.complete ? undefined : once(body, "end").catch(() => {});
  await Promise.race([ended, delay(readAwayMs)]);
}

function sendError(reply: FastifyReply, error: ApiError, log: Logger): void {
  if (error.status === 500) {
    const { cause } = error;
    log.error("request failed", {
      errorCode: error.code,
      requestId: reply.request.id,
      detail: cause instanceof Error ? cause.message : String(cause),
      ...(cause instanceof Error ? { stack: cause.stack } : {}),
    });
  }
  reply.code(error.status).headers(retryHeaders(error)).send(toErrorBody(error));
}

/** What fastify refuses by itself, in our words; what nobody foresaw is ours to look at. */
function toApiError(error: Error & { code?: string; statusCode?: number }): ApiError {
  if (error instanceof ApiError) return error;
  switch (error.code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new ApiError("request_too_large", "body: larger than this server takes");
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
    case "FST_ERR_CTP_EMPTY_TYPE":
      return new ApiError(
        "unsupported_media_type",
        "expected the header content-type: application/json, found another or none",
      );
  }
  const { statusCode } = error;
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new ApiError("invalid_parameter", "expected an HTTP request as this server reads it", {
      cause: error,
    });
  }
  return new ApiError("internal", "internal error; the gateway's log has it", { cause: error });
}

/** Bytes that are no HTTP request, or that did not come in time. */
function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const isLate = error.code === "ERR_HTTP_REQUEST_TIMEOUT";
  const isLong = error.code === "HPE_HEADER_OVERFLOW";
  const failure = isLate
    ? new ApiError("request_timeout", "the request did not come in time")
    : new ApiError("invalid_parameter", "expected an HTTP/1.1 request, found other bytes");
  const status = isLong ? 431 : failure.status;
  const body = JSON.stringify(toErrorBody(failure));
  socket.end(
    `HTTP/1.1 ${status} Bad Request\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
