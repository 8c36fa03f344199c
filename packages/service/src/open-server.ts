// A gRPC server with what all of ours have: limits, health, reflection, and an end.
import type { DescService } from "@bufbuild/protobuf";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { addHealthAndReflection, type Health, serverOptions } from "@octet/protocol";
import type { Logger } from "@octet/telemetry";
import { ConfigError, isLoopback } from "./config.ts";
import type { RunningService } from "./lifecycle.ts";

/** A server that listens. Its services are added by the caller, before or after it is ready. */
export interface OpenedServer {
  readonly server: Server;
  readonly health: Health;
  /** host:port it listens on; the port is the real one where 0 was asked for. */
  readonly address: string;
  /** Takes no new calls, waits up to `graceMs` for those under way, then cancels them. */
  close(graceMs: number): Promise<void>;
}

/** Where a service listens, and what it answers there. */
export interface ServerOptions {
  /** host:port; port 0 takes any. */
  readonly listen: string;
  readonly services: readonly DescService[];
  /** Whether connections from other machines may go unencrypted. */
  readonly allowPlaintext: boolean;
}

/**
 * Listens, then has `start` load what is to be served. Liveness can be asked at once; readiness
 * once `start` says so by `health.setReady(true)`. If `start` fails, nothing listens any more.
 *
 * @throws {ConfigError} if the address cannot be listened on, or reaches beyond this machine
 *   while `allowPlaintext` is false
 */
export async function startOnServer(
  options: ServerOptions,
  log: Logger,
  start: (opened: OpenedServer) => Promise<RunningService>,
): Promise<RunningService> {
  const opened = await openServer(options);
  log.info("listening", { address: opened.address });
  try {
    return await start(opened);
  } catch (error) {
    await opened.close(0);
    throw error;
  }
}

async function openServer(options: ServerOptions): Promise<OpenedServer> {
  const { listen, services, allowPlaintext } = options;
  if (!isLoopback(listen) && !allowPlaintext) {
    throw new ConfigError(
      `OCTET_LISTEN=${listen} can be reached from other machines, and connections are not ` +
        "encrypted. Listen on 127.0.0.1, or set OCTET_ALLOW_PLAINTEXT=true on a trusted network",
    );
  }
  const server = new Server(serverOptions);
  const health = addHealthAndReflection(server, services);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(listen, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else {
        reject(
          new ConfigError(
            `cannot listen on ${listen}: ${error.message}. Is another process using the port?`,
            { cause: error },
          ),
        );
      }
    });
  });
  const address = `${listen.slice(0, listen.lastIndexOf(":"))}:${port}`;
  return { server, health, address, close: (graceMs) => closeServer(server, health, graceMs) };
}

async function closeServer(server: Server, health: Health, graceMs: number): Promise<void> {
  health.setReady(false);
  health.setLive(false);
  const ended = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  const timer = setTimeout(() => server.forceShutdown(), graceMs);
  await ended;
  clearTimeout(timer);
}
