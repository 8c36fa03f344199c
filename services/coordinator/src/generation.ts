// What Generate and Chat do alike: from a prompt and parameters to the engine's events.
import type { CheckedConstraint, Constraints } from "@octet/constraint";
import { answersMax } from "@octet/core";
import type { Engine, GenerateEvent } from "@octet/engine";
import type { OutputParams, SamplingParams, SchedulingParams, StopParams } from "@octet/protocol";
import type { Tokenizer } from "@octet/tokenizer";
import type { AnswerCall } from "./answer-call.ts";
import type { RequestMetrics } from "./coordinator-metrics.ts";
import type { AboutRequest } from "./generation-events.ts";
import { toOutput, toSampling, toScheduling, toStop } from "./generation-parameters.ts";
import type { Prompt } from "./prompt.ts";
import { RequestError } from "./request-error.ts";

/** What answers are generated with. */
export interface GenerateContext {
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
  readonly constraints: Constraints;
  readonly modelName: string;
  readonly vocabSize: number;
  /** The context. */
  readonly maxPositions: number;
  readonly metrics?: RequestMetrics | undefined;
}

/** Parameters by their names in both requests. */
export interface GenerationParams {
  readonly sampling?: SamplingParams | undefined;
  readonly stop?: StopParams | undefined;
  readonly output?: OutputParams | undefined;
  readonly scheduling?: SchedulingParams | undefined;
  readonly n?: number | undefined;
  readonly details: boolean;
}

/** What the request's events say of it. */
export function aboutRequest(
  { details }: GenerationParams,
  { tokenIds, truncatedTokens = 0 }: Prompt,
  { requestId }: AnswerCall,
  { modelName, tokenizer }: GenerateContext,
): AboutRequest {
  const prompt = { promptTokenIds: tokenIds, truncatedTokens };
  return { requestId, model: modelName, ...prompt, details, tokenizer };
}

/** @throws {EngineError} for parameters out of range, or from a `next()` */
export function startGeneration(
  { tokenIds, continuesText }: Prompt,
  { sampling, stop, output, scheduling, n = 1, details }: GenerationParams,
  { signal, deadlineMs }: AnswerCall,
  { engine, tokenizer, metrics }: GenerateContext,
  checked: CheckedConstraint | undefined,
): AsyncIterable<GenerateEvent> {
  if (n === 0)
    throw new RequestError("invalid_parameter", "n: expected 1 or more, found 0", { field: "n" });
  // No more than are refused.
  const createDecoder = () => tokenizer.createStreamDecoder({ continuesText });
  const moreAnswers = Array.from({ length: Math.min(n, answersMax + 1) - 1 }, () => ({
    decoder: createDecoder(),
  }));
  const events = engine.generate({
    promptTokenIds: tokenIds,
    sampling: toSampling(sampling, tokenizer),
    stop: toStop(stop),
    output: toOutput(output),
    scheduling: toScheduling(scheduling),
    decoder: createDecoder(),
    moreAnswers,
    openConstraint: checked && (() => checked.open({ continuesText })),
    details,
    signal,
    deadlineMs,
  });
  return metrics?.watch(events) ?? events;
}
