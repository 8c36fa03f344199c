// An expert-worker in this process: the real service, over a real port, with any engine.
import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { ExpertEngine } from "@octet/kernels";
import { addHealthAndReflection, addService, ExpertService, serverOptions } from "@octet/protocol";
import { silentLogger } from "@octet/telemetry";
import {
  createExpertService,
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

/** @param port 0 for any free one */
export async function startWorker(
  engine: ExpertEngine,
  {
    workerId,
    port = 0,
    digest = modelDigest,
  }: { workerId: string; port?: number; digest?: string },
): Promise<WorkerServer> {
  const service = createExpertService({
    engine,
    workerId,
    startId: `${workerId} at ${process.pid}`,
    modelDigest: digest,
    log: silentLogger,
  });
  const server = new Server(serverOptions);
  addService(server, ExpertService, service.handlers);
  addHealthAndReflection(server, [ExpertService]).setReady(true);
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, found) =>
      error === null ? resolve(found) : reject(error),
    ),
  );
  return {
    address: `127.0.0.1:${bound}`,
    service,
    stop: async () => {
      await service.drain(0);
      server.forceShutdown();
    },
  };
}
