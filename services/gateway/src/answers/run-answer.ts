// One choice, as events of its coordinator.
import { FinishReason, type GenerateFinished } from "@octet/protocol";
import { ApiError } from "../http/api-error.ts";
import type { GatewayMetrics } from "../metrics/gateway-metrics.ts";
import type { AnswerEvent } from "../upstream/model-upstream.ts";
import { fromUpstream } from "../upstream/upstream-error.ts";
import type { AnswerEnd } from "./answer-format.ts";
import type { AnswerPlan } from "./answer-plan.ts";

/** Bounds of one choice, and who is told how it goes. */
export interface AnswerRun {
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  readonly metrics: GatewayMetrics;
}

/**
 * Streams the answers to the plan's request at `index`; leaving the loop or aborting the signal cancels it.
 *
 * @throws {ApiError} whatever happens to it
 */
export async function* runAnswer(
  plan: AnswerPlan,
  index: number,
  bounds: AnswerRun,
): AsyncGenerator<AnswerEvent, void> {
  const { call } = plan.requests[index]!;
  const observers = Array.from({ length: plan.answersEach }, () =>
    bounds.metrics.observe(plan.model),
  );
  let longest = 0;
  try {
    for await (const event of plan.upstream.answer(call, bounds)) {
      if (event.case === "started") requireRoom(plan, event.value.promptTokens);
      if (event.case === "delta") observers[event.value.index]?.firstToken();
      if (event.case === "finished") {
        longest = Math.max(longest, event.value.completionTokens);
        observers[event.value.index]?.finished(toAnswerEnd(event.value).finishReason, event.value);
      }
      yield event;
    }
  } catch (error) {
    throw underItsName(fromUpstream(error), plan);
  }
  const { answersEach: n, maxTokens } = plan;
  bounds.metrics.answered(plan.model, { n, maxTokens, longest });
}

/** An answer that the context cannot hold is refused, since cut it would look finished. */
function requireRoom({ maxTokens, maxPositions }: AnswerPlan, promptTokens: number): void {
  if (maxTokens === undefined || promptTokens + maxTokens <= maxPositions) return;
  throw new ApiError(
    "context_length_exceeded",
    `the prompt has ${promptTokens} tokens and max_tokens asks for ${maxTokens} more; ` +
      `the context has ${maxPositions}. Ask for less, or leave max_tokens out`,
    { param: "max_tokens" },
  );
}

/** What is wrong with a prompt or a constraint is wrong with the parameter that it came by. */
function underItsName(error: ApiError, { constraintParam, format }: AnswerPlan): ApiError {
  if (error.param === "input") {
    return new ApiError(error.code, error.message, { param: format.promptParam, cause: error });
  }
  if (constraintParam === undefined || error.param !== "constraint") return error;
  const message = error.message.replace(/^constraint: /, `${constraintParam}: `);
  return new ApiError(error.code, message, { param: constraintParam, cause: error });
}

/** How the coordinator says it ended, as clients know it. */
export function toAnswerEnd({ reason, stopString, stopTokenId }: GenerateFinished): AnswerEnd {
  return {
    finishReason: toFinishReason(reason),
    stopReason: reason === FinishReason.STOP ? (stopTokenId ?? stopString) : null,
  };
}

function toFinishReason(reason: FinishReason): AnswerEnd["finishReason"] {
  switch (reason) {
    case FinishReason.LENGTH:
      return "length";
    case FinishReason.TOOL_CALLS:
      return "tool_calls";
    default:
      return "stop";
  }
}
