// What needs grpc-js: some ten megabytes of memory, which a worker spares until a client other than a
// coordinator of ours comes.
export { toBidiHandler } from "./bidi-handler.ts";
export {
  addService,
  type Handler,
  type Handlers,
  toMethodDefinition,
  toServiceDefinition,
} from "./grpc-bridge.ts";
export {
  type CallBounds,
  type ClientOptions,
  createClient,
  type GrpcClient,
} from "./grpc-client.ts";
export { fromServiceError, toServiceError } from "./grpc-failure.ts";
export { addHealthAndReflection } from "./health-and-reflection.ts";
