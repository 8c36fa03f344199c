// grpc-js behind a door: loaded and started when a client comes that does not speak lean. A worker
// whose coordinators are all ours never pays for it.
import type { Socket } from "node:net";
import type { DescService } from "@bufbuild/protobuf";
import type { ConnectionInjector, Server } from "@grpc/grpc-js";
import { type Health, serverOptions } from "@octet/protocol";
import type { Handlers } from "@octet/protocol/grpc";
import type { Logger } from "@octet/telemetry";
import { allowManyResets } from "./allow-many-resets.ts";
import { ignoreDeadStreams } from "./ignore-dead-streams.ts";

/** What handlers for grpc-js may need of it; loaded with it. */
export type GrpcModule = typeof import("@octet/protocol/grpc");

/** What is served to all clients, and where its health is known. */
export interface PlainGrpcOptions {
  /** Described by reflection. */
  readonly services: readonly DescService[];
  readonly health: Health;
  readonly log: Logger;
}

interface Opened {
  readonly grpc: GrpcModule;
  readonly server: Server;
  readonly injector: ConnectionInjector;
}

type Registration = (opened: Opened) => void;

/** Serves gRPC, health and reflection to connections that are handed over. */
export class PlainGrpc {
  readonly #options: PlainGrpcOptions;
  readonly #registrations: Registration[] = [];
  #opening: Promise<Opened> | undefined;
  #isClosed = false;

  constructor(options: PlainGrpcOptions) {
    this.#options = options;
  }

  /** @param makeHandlers called once, if ever */
  serve<Service extends DescService>(
    service: Service,
    makeHandlers: (grpc: GrpcModule) => Handlers<Service>,
  ): void {
    const register: Registration = ({ grpc, server }) =>
      grpc.addService(server, service, makeHandlers(grpc));
    this.#registrations.push(register);
    this.#opening?.then(register, notLoaded);
  }

  /** Serves a client from its first bytes, which are there to be read. */
  take(socket: Socket): void {
    socket.on("error", () => {}); // "close" follows; until grpc-js listens, nobody else does
    if (this.#isClosed) {
      socket.destroy();
      return;
    }
    this.#opening ??= this.#open();
    this.#opening.then(
      ({ injector }) => {
        if (!socket.destroyed) injector.injectConnection(socket);
      },
      (error: unknown) => {
        this.#options.log.error("gRPC not loaded", {
          errorCode: "internal",
          detail: String(error),
        });
        socket.destroy();
      },
    );
  }

  /** Takes no new calls; resolves when those under way have ended. */
  async drain(): Promise<void> {
    this.#isClosed = true;
    const opened = await this.#opening?.catch(() => undefined);
    if (opened === undefined) return;
    await new Promise<void>((resolve) => opened.server.tryShutdown(() => resolve()));
  }

  /** Ends the calls under way. */
  destroy(): void {
    this.#opening?.then(({ server }) => server.forceShutdown(), notLoaded);
  }

  async #open(): Promise<Opened> {
    const [grpc, { Server, ServerCredentials }] = await Promise.all([
      import("@octet/protocol/grpc"),
      import("@grpc/grpc-js"),
    ]);
    const server = new Server(serverOptions);
    ignoreDeadStreams(server);
    allowManyResets(server);
    grpc.addHealthAndReflection(server, this.#options.services, this.#options.health);
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    const opened = { grpc, server, injector };
    for (const register of this.#registrations) register(opened);
    return opened;
  }
}

/** `take`, which had it loaded, tells of it. */
function notLoaded(): void {}
