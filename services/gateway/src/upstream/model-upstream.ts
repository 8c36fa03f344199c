// The coordinators of one model, as one: where one fails, the next is asked, and an answer goes on.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type AnswerEvent as AnswerEventOf,
  answerInTurn,
  askInTurn,
  type Endpoint,
  type InTurnOptions,
  type Retry,
} from "@octet/client";
import {
  type ChatDelta,
  ChatRequestSchema,
  type DetokenizeRequestSchema,
  type GenerateDelta,
  GenerateRequestSchema,
  type TokenizeRequestSchema,
  type TokenizeResponse,
} from "@octet/protocol";
import { fromUpstream } from "./upstream-error.ts";

/** Longest a call that computes nothing may take, in ms. */
const unaryDeadlineMs = 10_000;

/** Bounds of one answer. */
export interface AnswerBounds {
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** What is to be answered, and by which method. */
export type AnswerCall =
  | {
      readonly method: "generate";
      readonly request: MessageInitShape<typeof GenerateRequestSchema>;
    }
  | { readonly method: "chat"; readonly request: MessageInitShape<typeof ChatRequestSchema> };

/** started, deltas, finished. */
export type AnswerEvent = AnswerEventOf<GenerateDelta | ChatDelta>;

/** Calls of whoever serves a model. Failures are thrown as {@link ApiError}s. */
export class ModelUpstream {
  readonly #inTurn: () => readonly Endpoint[];
  readonly #onRetry: (retry: Retry) => void;

  /** @param inTurn those that serve it, the one to ask first in front */
  constructor(inTurn: () => readonly Endpoint[], onRetry: (retry: Retry) => void) {
    this.#inTurn = inTurn;
    this.#onRetry = onRetry;
  }

  /**
   * Streams one answer. Leaving the loop, or aborting the signal, cancels the work. One whose
   * coordinator fails goes on at another, with the tokens it would have had.
   */
  async *answer(call: AnswerCall, bounds: AnswerBounds): AsyncGenerator<AnswerEvent, void> {
    const asked =
      call.method === "chat"
        ? { method: call.method, request: create(ChatRequestSchema, call.request) }
        : { method: call.method, request: create(GenerateRequestSchema, call.request) };
    try {
      yield* answerInTurn(this.#inTurn(), asked, { ...bounds, onRetry: this.#onRetry });
    } catch (error) {
      throw fromUpstream(error);
    }
  }

  tokenize(
    request: MessageInitShape<typeof TokenizeRequestSchema>,
    signal: AbortSignal,
  ): Promise<TokenizeResponse> {
    return this.#ask((service, bounds) => service.tokenize(request, bounds), signal);
  }

  async detokenize(
    request: MessageInitShape<typeof DetokenizeRequestSchema>,
    signal: AbortSignal,
  ): Promise<string> {
    return (await this.#ask((service, bounds) => service.detokenize(request, bounds), signal)).text;
  }

  async #ask<Response>(
    attempt: (service: Endpoint["service"], bounds: AnswerBounds) => Promise<Response>,
    signal: AbortSignal,
  ): Promise<Response> {
    const options: InTurnOptions = { deadlineMs: unaryDeadlineMs, onRetry: this.#onRetry };
    const bounded = (service: Endpoint["service"], { deadlineMs }: { deadlineMs: number }) =>
      attempt(service, { deadlineMs, signal });
    try {
      return await askInTurn(this.#inTurn(), bounded, { ...options, signal });
    } catch (error) {
      throw fromUpstream(error);
    }
  }
}
