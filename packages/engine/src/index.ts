export type { PrefixCounts } from "./admission.ts";
export type { FinishReason, StreamDecoder } from "./answer.ts";
export {
  createEngine,
  type Engine,
  type EngineLoad,
  type EngineLog,
  type EngineOptions,
} from "./engine.ts";
export { EngineError, type EngineErrorCode } from "./engine-error.ts";
export type { EngineLimits } from "./engine-limits.ts";
export {
  type ExpertCallCode,
  ExpertCallError,
  type ExpertClient,
  type ExpertReply,
} from "./expert-client.ts";
export type { ExpertUse } from "./expert-use.ts";
export type {
  GenerateDelta,
  GenerateEvent,
  GenerateFinished,
  GenerateStarted,
  GenerateTimings,
  GenerateUsage,
  PrefillProgress,
  PromptLogprobs,
} from "./generate-event.ts";
export type { GenerateRequest } from "./generate-request.ts";
export type { TokenLogprob, TokenLogprobs } from "./logprobs.ts";
export type { OutputRequest } from "./output-params.ts";
export type { RoutedExperts } from "./routed-experts.ts";
export type { SamplingRequest } from "./sampling-params.ts";
export type { SchedulingRequest } from "./scheduling-params.ts";
export type { StopRequest } from "./stop-params.ts";
export type { TokenConstraint, TokenMask } from "./token-constraint.ts";
