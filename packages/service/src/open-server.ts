// A gRPC server with what all of ours have: limits, health, reflection, and an end.
import { type AddressInfo, createServer, type Server as TcpServer } from "node:net";
import type { DescService } from "@bufbuild/protobuf";
import {
  Health,
  LeanFront,
  type LeanMethods,
  leanHealthCheck,
  splitAddress,
} from "@octet/protocol";
import type { Logger } from "@octet/telemetry";
import type { RunningService } from "./lifecycle.ts";
import { listenFailure, requireListenAddress } from "./listen-address.ts";
import { PlainGrpc } from "./plain-grpc.ts";

/** A server that listens. Its services are added by the caller, before or after it is ready. */
export interface OpenedServer {
  /** What all others may call. */
  readonly plain: Pick<PlainGrpc, "serve">;
  /** What clients of ours may call on lean connections too, from when it is added. */
  readonly leanMethods: LeanMethods;
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
  const opened = await openServer(options, log);
  log.info("listening", { address: opened.address });
  try {
    return await start(opened);
  } catch (error) {
    await opened.close(0);
    throw error;
  }
}

async function openServer(options: ServerOptions, log: Logger): Promise<OpenedServer> {
  const { listen, services, allowPlaintext } = options;
  requireListenAddress("OCTET_LISTEN", listen, allowPlaintext);
  const health = new Health(services.map((service) => service.typeName));
  const plain = new PlainGrpc({ services, health, log });
  const leanMethods: LeanMethods = new Map([leanHealthCheck(health)]);
  const front = new LeanFront(leanMethods, (socket) => plain.take(socket));
  const tcp = createServer({ noDelay: true }, (socket) => front.take(socket));
  await listenOn(tcp, listen);
  tcp.on("error", (error) => log.warn("connection not taken", { detail: error.message }));
  return {
    plain,
    leanMethods,
    health,
    address: `${listen.slice(0, listen.lastIndexOf(":"))}:${(tcp.address() as AddressInfo).port}`,
    close: async (graceMs) => {
      health.setReady(false);
      health.setLive(false);
      const closed = new Promise<void>((resolve) => tcp.close(() => resolve()));
      const ended = plain.drain();
      front.drain();
      const timer = setTimeout(() => {
        plain.destroy();
        front.destroy();
      }, graceMs);
      await Promise.all([closed, ended]);
      clearTimeout(timer);
    },
  };
}

function listenOn(tcp: TcpServer, address: string): Promise<void> {
  const { host, port } = splitAddress(address);
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error) => reject(listenFailure(address, cause));
    tcp.once("error", refuse);
    tcp.once("listening", () => {
      tcp.off("error", refuse);
      resolve();
    });
    try {
      tcp.listen({ host, port });
    } catch (error) {
      refuse(error as Error); // a port that no machine has
    }
  });
}
