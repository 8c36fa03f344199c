// For a service that keeps connections of its own: one call over several coordinators, none of them
// waited for.
import type { ChatDelta, ChatRequest, GenerateDelta, GenerateRequest } from "@octet/protocol";
import type { CallBounds } from "@octet/protocol/grpc-client";
import { askUntilAnswered, streamAnswer } from "./answer-stream.ts";
import { Call, type CallOptions, type Endpoint, type Retry } from "./call.ts";
import { systemClock } from "./clock.ts";
import type { AnswerEvent } from "./delivered-stream.ts";
import { withSeed } from "./prompt.ts";

/** Bounds of one call, and who is told where it goes on. */
export interface InTurnOptions extends CallOptions {
  readonly deadlineMs: number;
  readonly onRetry?: (retry: Retry) => void;
}

/** What is to be answered, and by which method. */
export type AnswerRequest =
  | { readonly method: "generate"; readonly request: GenerateRequest }
  | { readonly method: "chat"; readonly request: ChatRequest };

/**
 * Asks the first coordinator, and where one fails the next, each once at a time; what was told of
 * the answer is not told again. Ends with the last one's error when all have failed since the answer
 * last went on.
 *
 * @param endpoints of one model, at least one; they stay the caller's
 * @throws {OctetError} or the signal's reason
 */
export async function* answerInTurn(
  endpoints: readonly Endpoint[],
  { method, request }: AnswerRequest,
  options: InTurnOptions,
): AsyncGenerator<AnswerEvent<GenerateDelta | ChatDelta>, void> {
  const numAnswers = Math.max(1, request.n ?? 1); // 0 is refused by the coordinator
  const call = beginInTurn(endpoints, options);
  const asking = { numAnswers, resume: true };
  try {
    if (method === "generate") {
      yield* streamAnswer<GenerateDelta>(call, {
        ...asking,
        open: (service, bounds, seed) => service.generate(withSeed(request, seed), bounds),
      });
    } else {
      yield* streamAnswer<ChatDelta>(call, {
        ...asking,
        open: (service, bounds, seed) => service.chat(withSeed(request, seed), bounds),
      });
    }
  } finally {
    call.end();
  }
}

/**
 * Asks the first coordinator, and where one fails the next, each once.
 *
 * @param endpoints of one model, at least one; they stay the caller's
 * @throws {OctetError} the last one's, or the signal's reason
 */
export async function askInTurn<Response>(
  endpoints: readonly Endpoint[],
  attempt: (service: Endpoint["service"], bounds: CallBounds) => Promise<Response>,
  options: InTurnOptions,
): Promise<Response> {
  const call = beginInTurn(endpoints, options);
  try {
    return await askUntilAnswered(call, attempt);
  } finally {
    call.end();
  }
}

function beginInTurn(
  endpoints: readonly Endpoint[],
  { deadlineMs, signal, onRetry = () => {} }: InTurnOptions,
): Call {
  const context = {
    endpoints,
    retry: { attemptsMax: 1, delayMs: 0, delayMsMax: 0 },
    clock: systemClock,
    random: () => 0,
    onRetry,
    preferred: { index: 0 },
  };
  return new Call(context, { deadlineMs, ...(signal && { signal }) });
}
