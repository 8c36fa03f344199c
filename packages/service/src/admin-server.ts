// What only operators ask, on a port of its own: /metrics.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { splitAddress } from "@octet/protocol";
import type { Logger } from "@octet/telemetry";
import type { Metrics } from "@octet/telemetry/metrics";
import { listenFailure, requireListenAddress } from "./listen-address.ts";

/** An admin port that listens. */
export interface AdminServer {
  /** For the service to add its own to. */
  readonly metrics: Metrics;
  /** host:port it listens on; the port is the real one where 0 was asked for. */
  readonly address: string;
  close(): Promise<void>;
}

/** Scrapers that may be connected at a time. */
const connectionsMax = 16;
/** Longest that a request may take to arrive, in ms. */
const requestTimeoutMs = 10_000;

/**
 * Serves the metrics of this process; undefined if no address is given.
 *
 * @throws {ConfigError} if the address cannot be listened on, or reaches beyond this machine while
 *   `allowPlaintext` is false
 */
export async function openAdminServer(
  options: { readonly listen: string | undefined; readonly allowPlaintext: boolean },
  log: Logger,
): Promise<AdminServer | undefined> {
  const { listen, allowPlaintext } = options;
  if (listen === undefined) return undefined;
  requireListenAddress("OCTET_ADMIN_LISTEN", listen, allowPlaintext);
  // Megabytes that a service without metrics may spare: named imports of node:http load undici too.
  const [{ createServer }, { createMetrics }] = await Promise.all([
    import("node:http"),
    import("@octet/telemetry/metrics"),
  ]);
  const metrics = createMetrics();
  const server = createServer({ requestTimeout: requestTimeoutMs }, (request, response) => {
    answer(request, response, metrics).catch((error: unknown) => {
      log.error("scrape failed", { errorCode: "internal", detail: String(error) });
      response.destroy();
    });
  });
  server.maxConnections = connectionsMax;
  const { host, port } = splitAddress(listen);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(listenFailure(listen, cause)));
    server.listen({ host, port }, resolve);
  });
  const address = `${listen.slice(0, listen.lastIndexOf(":"))}:${(server.address() as AddressInfo).port}`;
  log.info("admin listening", { address });
  return {
    metrics,
    address,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  metrics: Metrics,
): Promise<void> {
  const path = request.url?.split("?")[0];
  if (path !== "/metrics") return end(response, 404, "expected /metrics\n");
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    return end(response, 405, "expected GET\n");
  }
  const text = await metrics.print();
  response.setHeader("content-type", metrics.contentType);
  end(response, 200, text);
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-length": Buffer.byteLength(text) });
  response.end(text);
}
