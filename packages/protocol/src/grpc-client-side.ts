// What a client needs of `@octet/protocol/grpc`, without what only servers load.
export {
  type CallBounds,
  type ClientOptions,
  createClient,
  type GrpcClient,
} from "./grpc-client.ts";
export { fromServiceError } from "./grpc-failure.ts";
