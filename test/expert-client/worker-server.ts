// An expert-worker in this process: the real service, over a real port, with any engine.
import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { ExpertEngine } from "@octet/kernels";
import { ExpertService, serverOptions } from "@octet/protocol";
import * as grpc from "@octet/protocol/grpc";
import { startOnServer } from "@octet/service";
import { silentLogger } from "@octet/telemetry";
import {
  createExpertService,
  type ExpertServiceOptions,
  registerExperts,
  type ServedExperts,
} from "../../services/expert-worker/src/expert-service.ts";

/** A worker that answers on loopback. */
export interface WorkerServer {
  readonly address: string;
  readonly service: ServedExperts;
  /** Ends every stream and frees the port. */
  stop(): Promise<void>;
}

/** What every worker and coordinator of these tests agrees on. */
export const modelDigest = "affine";

/** How a worker is started. */
export interface WorkerOptions {
  readonly workerId: string;
  /** Default: a free one. */
  readonly port?: number;
  readonly digest?: string;
  /** Whether the server is grpc-js alone, as another implementation of the contract might be. */
  readonly isPlain?: boolean;
  /** Default: the service's own. */
  readonly useFastPath?: boolean;
  readonly rowsPerCallMax?: number;
  readonly observer?: ExpertServiceOptions["observer"];
}

/** Serves `engine` until it is stopped. */
export async function startWorker(
  engine: ExpertEngine,
  { workerId, port = 0, digest = modelDigest, isPlain = false, ...options }: WorkerOptions,
): Promise<WorkerServer> {
  const service = createExpertService({
    engine,
    workerId,
    startId: `${workerId} at ${process.pid}`,
    modelDigest: digest,
    log: silentLogger,
    ...options,
  });
  const listen = `127.0.0.1:${port}`;
  const { address, close } = await (isPlain
    ? listenPlain(listen, service)
    : listenAsWorkersDo(listen, service));
  return {
    address,
    service,
    stop: async () => {
      await service.drain(0);
      await close();
    },
  };
}

interface Listening {
  readonly address: string;
  close(): Promise<void>;
}

async function listenAsWorkersDo(listen: string, service: ServedExperts): Promise<Listening> {
  let address = "";
  const running = await startOnServer(
    { listen, services: [ExpertService], allowPlaintext: false },
    silentLogger,
    async (opened) => {
      registerExperts(opened, service);
      opened.health.setReady(true);
      address = opened.address;
      return { stop: () => opened.close(0) };
    },
  );
  return { address, close: () => running.stop() };
}

async function listenPlain(listen: string, service: ServedExperts): Promise<Listening> {
  const server = new Server(serverOptions);
  grpc.addService(server, ExpertService, service.makeHandlers(grpc));
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(listen, ServerCredentials.createInsecure(), (error, found) =>
      error === null ? resolve(found) : reject(error),
    ),
  );
  return { address: `127.0.0.1:${bound}`, close: async () => server.forceShutdown() };
}
