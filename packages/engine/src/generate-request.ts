// What a caller asks of the engine, and what is checked before anything is queued.
import { answersMax, type ModelConfig } from "@octet/core";
import type { StreamDecoder } from "./answer.ts";
import { EngineError } from "./engine-error.ts";
import type { OutputRequest } from "./output-params.ts";
import type { SamplingRequest } from "./sampling-params.ts";
import type { SchedulingRequest } from "./scheduling-params.ts";
import type { StopRequest } from "./stop-params.ts";
import type { TokenConstraint } from "./token-constraint.ts";

/** One prompt to continue. */
export interface GenerateRequest {
  /** At least 1, each in the vocabulary, used exactly as given; copied. */
  readonly promptTokenIds: ArrayLike<number>;
  /**
   * Where in promptTokenIds the answer begins, 1 .. their number: what stands from there on was
   * sampled before, by an engine that could not go on. The sequence continues as if it had not been
   * interrupted: those tokens and their text are in no delta, but count as the answer's everywhere.
   * Default: at the end, so that nothing was.
   */
  readonly answerStart?: number | undefined;
  /** Default: each field its own. */
  readonly sampling?: SamplingRequest | undefined;
  /** Default: each field its own. */
  readonly stop?: StopRequest | undefined;
  /** Default: each field its own. */
  readonly scheduling?: SchedulingRequest | undefined;
  /** What to report besides text and tokens. Default: nothing. */
  readonly output?: OutputRequest | undefined;
  /**
   * Opens what decides which tokens the answer may have, once the request has blocks; not with
   * stop.ignoreEos, since the constraint says where the answer ends. By default every token may come.
   */
  readonly openConstraint?: (() => TokenConstraint) | undefined;
  /** Fresh for this request. */
  readonly decoder: StreamDecoder;
  /**
   * For each further answer to the same prompt, what it needs of its own; at most answersMax - 1,
   * and none for an answer that is resumed. They share the prompt's computation, differ by their
   * seeds, and fail together. The first answer is the one that would have been given alone.
   */
  readonly moreAnswers?: readonly { readonly decoder: StreamDecoder }[] | undefined;
  /**
   * Aborting it ends the sequence and cancels expert calls that nobody else needs: with
   * "deadline-exceeded" if the reason is a TimeoutError (AbortSignal.timeout), else "cancelled".
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * When the answer is of no use any more, on the engine's clock (EngineOptions.nowMs). Whether the
   * request waits or is under way, it ends as "deadline-exceeded" before the next step; nothing is
   * computed for it from then on. To end it in the middle of a step too, abort the signal. Default:
   * never.
   */
  readonly deadlineMs?: number | undefined;
  /** Whether the last event says who answered for each expert. Default false. */
  readonly details?: boolean | undefined;
}

/** @throws {EngineError} "invalid-argument" or "context-length-exceeded" */
export function checkPrompt(
  promptTokenIds: ArrayLike<number>,
  limits: { model: ModelConfig; contextTokens: number },
): Int32Array {
  const { model, contextTokens } = limits;
  const numTokens = promptTokenIds.length;
  if (numTokens === 0) {
    const detail = "prompt: expected at least 1 token, found none";
    throw new EngineError("invalid-argument", detail, { field: "promptTokenIds" });
  }
  if (numTokens >= contextTokens) {
    throw new EngineError(
      "context-length-exceeded",
      `the prompt has ${numTokens} tokens and the context ${contextTokens}, ` +
        "at least one of them for the answer; shorten the prompt",
      { field: "promptTokenIds", limit: { max: contextTokens - 1, found: numTokens } },
    );
  }
  for (let i = 0; i < numTokens; i++) {
    const id = promptTokenIds[i]!;
    if (Number.isInteger(id) && id >= 0 && id < model.vocabSize) continue;
    // The token itself is the user's text and stays out of the message.
    throw new EngineError(
      "invalid-argument",
      `prompt token ${i}: expected an id below ${model.vocabSize}, found another`,
      { field: `promptTokenIds[${i}]` },
    );
  }
  return Int32Array.from(promptTokenIds);
}

/** @throws {EngineError} "invalid-argument" */
export function checkAnswerStart(answerStart: number, promptTokens: number): number {
  if (Number.isInteger(answerStart) && answerStart >= 1 && answerStart <= promptTokens) {
    return answerStart;
  }
  throw new EngineError(
    "invalid-argument",
    `answerStart: expected 1 .. ${promptTokens}, found ${answerStart}`,
  );
}

/** Why a request ended whose signal was aborted with `reason`. */
export function abortError(reason: unknown): EngineError {
  if (reason instanceof EngineError) return reason;
  const isTimeout = reason instanceof Error && reason.name === "TimeoutError";
  return isTimeout
    ? new EngineError("deadline-exceeded", "the request's deadline passed", { cause: reason })
    : new EngineError("cancelled", "the request was cancelled", { cause: reason });
}

/** @throws {EngineError} "invalid-argument" for too many, or for several where one is resumed */
export function checkAnswers(numAnswers: number, isResumed: boolean): void {
  if (numAnswers > answersMax) {
    const detail = `n: expected 1 .. ${answersMax} answers, found ${numAnswers}`;
    const limit = { max: answersMax, found: numAnswers };
    throw new EngineError("invalid-argument", detail, { field: "n", limit });
  }
  if (numAnswers > 1 && isResumed) {
    const detail = `n: expected 1, as the answer has begun already, found ${numAnswers}`;
    throw new EngineError("invalid-argument", detail, { field: "n" });
  }
}
