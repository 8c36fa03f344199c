export { FinishReason, ToolChoiceMode } from "@octet/protocol";
export { Answer, type Completion } from "./answer.ts";
export type { CallOptions, Endpoint, Retry } from "./call.ts";
export type { Clock } from "./clock.ts";
export type { DeltaParts } from "./delivered-answer.ts";
export type { AnswerEvent, ChatEvent, GenerateEvent } from "./delivered-stream.ts";
export {
  AnswerChangedError,
  CancelledError,
  ClientClosedError,
  type CodeName,
  DeadlineExceededError,
  InternalError,
  InvalidRequestError,
  NotFoundError,
  OctetError,
  OverloadedError,
  UnavailableError,
  UnsupportedError,
} from "./errors.ts";
export { type AnswerRequest, answerInTurn, askInTurn, type InTurnOptions } from "./in-turn.ts";
export { type AnswerOptions, OctetClient, type OctetClientOptions } from "./octet-client.ts";
export type { ChatParams, GenerateParams, Prompt, TokenizeParams } from "./prompt.ts";
export { defaultRetryPolicy, type RetryPolicy } from "./retry-schedule.ts";
