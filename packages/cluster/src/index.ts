export {
  createGrpcExpertClient,
  type GrpcExpertClient,
  type GrpcExpertClientOptions,
} from "./grpc-expert-client.ts";
export { createInProcessExpertClient } from "./in-process-expert-client.ts";
export type { ConnectionTimes, WorkerState, WorkerStatus } from "./worker-connection.ts";
export type { ExpectedWorkers, PlacedWorker, WorkerDescription } from "./worker-description.ts";
