export type { FinishReason, StreamDecoder } from "./answer.ts";
export { EngineError, type EngineErrorCode } from "./engine-error.ts";
export {
  type ExpertCallCode,
  ExpertCallError,
  type ExpertClient,
  type ExpertReply,
} from "./expert-client.ts";
export type { SamplingRequest } from "./sampling-params.ts";
export type { StopRequest } from "./stop-params.ts";
