export { FinishReason } from "@octet/protocol";
export { Answer, type Completion } from "./answer.ts";
export type { CallOptions, Retry } from "./call.ts";
export type { Clock } from "./clock.ts";
export {
  AnswerChangedError,
  CancelledError,
  ClientClosedError,
  DeadlineExceededError,
  InternalError,
  InvalidRequestError,
  NotFoundError,
  OctetError,
  OverloadedError,
  UnavailableError,
  UnsupportedError,
} from "./errors.ts";
export type { GenerateEvent } from "./generate.ts";
export { type GenerateOptions, OctetClient, type OctetClientOptions } from "./octet-client.ts";
export type { GenerateParams, Prompt, TokenizeParams } from "./prompt.ts";
export { defaultRetryPolicy, type RetryPolicy } from "./retry-schedule.ts";
