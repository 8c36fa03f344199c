export {
  type ExpectedActivationRows,
  fromActivationRowsMessage,
  toActivationRowsMessage,
  WireShapeError,
} from "./activation-rows.ts";
export { splitAddress } from "./address.ts";
export { type CallFailureReason, fromCallFailureCode, toCallFailureCode } from "./call-failure.ts";
export { channelOptions, serverOptions } from "./channel-options.ts";
export {
  type Failure,
  type FailureReason,
  type FailureStatus,
  type FieldViolation,
  fromStatus,
  statusDetailsKey,
  toStatus,
} from "./failure.ts";
export type { ForwardRequestInit, ForwardResponseInit } from "./forward-messages.ts";
export { freeMemory } from "./free-memory.ts";
export {
  ActivationDtype as ActivationDtypeCode,
  ActivationDtypeSchema,
  type ActivationRows as ActivationRowsMessage,
  ActivationRowsSchema,
  type CallFailure,
  CallFailureCode,
  CallFailureCodeSchema,
  CallFailureSchema,
  type CallTimings,
  CallTimingsSchema,
  type CancelCalls,
  CancelCallsSchema,
  type DescribeRequest,
  DescribeRequestSchema,
  type DescribeResponse,
  DescribeResponseSchema,
  type ExpertCall as ExpertCallMessage,
  ExpertCallSchema,
  ExpertService,
  type ForwardRequest,
  ForwardRequestSchema,
  type ForwardResponse,
  ForwardResponseSchema,
} from "./gen/octet/expert/v1/expert_pb.ts";
export {
  type Chat,
  type ChatDelta,
  ChatDeltaSchema,
  type ChatMessage,
  ChatMessageSchema,
  type ChatRequest,
  ChatRequestSchema,
  type ChatResponse,
  ChatResponseSchema,
  ChatSchema,
  type DetokenizeRequest,
  DetokenizeRequestSchema,
  type DetokenizeResponse,
  DetokenizeResponseSchema,
  type ExpertUse,
  ExpertUseSchema,
  FinishReason,
  FinishReasonSchema,
  type GenerateDelta,
  GenerateDeltaSchema,
  type GenerateFinished,
  GenerateFinishedSchema,
  type GenerateRequest,
  GenerateRequestSchema,
  type GenerateResponse,
  GenerateResponseSchema,
  type GenerateStarted,
  GenerateStartedSchema,
  type GenerateTimings,
  GenerateTimingsSchema,
  type GetModelRequest,
  GetModelRequestSchema,
  type GetModelResponse,
  GetModelResponseSchema,
  InferenceService,
  type ListModelsRequest,
  ListModelsRequestSchema,
  type ListModelsResponse,
  ListModelsResponseSchema,
  type Model,
  ModelSchema,
  type SamplingParams,
  SamplingParamsSchema,
  type StopParams,
  StopParamsSchema,
  type TokenIds,
  TokenIdsSchema,
  type TokenizeRequest,
  TokenizeRequestSchema,
  type TokenizeResponse,
  TokenizeResponseSchema,
} from "./gen/octet/inference/v1/inference_pb.ts";
export { checkHealth, Health, leanHealthCheck, readinessName } from "./health.ts";
export { LeanCallError } from "./lean/lean-call-error.ts";
export {
  callLean,
  connectLean,
  type LeanCall,
  type LeanCallListener,
  type LeanClient,
  openLeanCall,
} from "./lean/lean-client.ts";
export { LeanFront } from "./lean/lean-front.ts";
export {
  type LeanMethod,
  type LeanMethods,
  leanStreamMethod,
  leanUnaryMethod,
  pathOf,
} from "./lean/lean-server.ts";
export type {
  ServedStream,
  ServedStreamListener,
  StreamHandler,
} from "./served-stream.ts";
export { type ErrorCode, type StatusError, toStatusError } from "./status.ts";
export { type StatusCode, statusCode } from "./status-code.ts";
