// POST /v1/completions
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { completionFormat } from "../answers/answer-format.ts";
import type { AnswerPlan, AnswerRequest } from "../answers/answer-plan.ts";
import { ApiError } from "../http/api-error.ts";
import { constraintShape, toConstraint } from "../params/constraint.ts";
import { ignoredShape, silentShape, warnOfIgnored } from "../params/ignored.ts";
import { notSupportedShape, refuseNotSupported } from "../params/not-supported.ts";
import {
  completionLogprobsShape,
  type LogprobsAsked,
  namedTokens,
  outputShape,
  toOutput,
  toShownOutput,
} from "../params/output.ts";
import { type PromptInput, promptShape, toPromptInputs } from "../params/prompt.ts";
import { readBody } from "../params/read-body.ts";
import { samplingShape, toSampling } from "../params/sampling.ts";
import { schedulingShape, toScheduling } from "../params/scheduling.ts";
import { maxTokensOf, stopShape, toStop } from "../params/stop.ts";
import { streamShape, toStreamUsage } from "../params/stream-options.ts";
import { toTruncation, truncationShape } from "../params/truncation.ts";
import type { Coordinators } from "../upstream/coordinators.ts";
import type { ModelUpstream } from "../upstream/model-upstream.ts";

/** Tokens of an answer where none are asked for, as in OpenAI's API. */
const maxTokensDefault = 16;

/** The body. */
export const completionBody = z.object({
  ...notSupportedShape,
  model: z.string().max(256).optional().describe("Default: the one model that is served."),
  ...promptShape,
  echo: z.boolean().optional().describe("Put the prompt in front of the answer."),
  ...samplingShape,
  ...stopShape,
  ...streamShape,
  ...outputShape,
  ...completionLogprobsShape,
  ...truncationShape,
  ...constraintShape,
  ...schedulingShape,
  ...silentShape,
  ...ignoredShape,
});

/** @throws {ApiError} for a body that is wrong, or a model that is not there */
export async function planCompletion(
  body: unknown,
  coordinators: Coordinators,
  options: { readonly strict: boolean; readonly signal: AbortSignal },
): Promise<AnswerPlan> {
  const { values, warnings } = readBody(completionBody, body, options);
  refuseNotSupported(values);
  const inputs = toPromptInputs(values.prompt);
  const maxTokens = maxTokensOf(values) ?? maxTokensDefault;
  const logprobs = logprobsAsked(values, maxTokens);
  const asked = toConstraint(values);
  const streamUsage = toStreamUsage(values);
  const truncation = toTruncation(values, values.echo);
  const model = coordinators.model(values.model);
  const upstream = coordinators.of(model);
  const requests = inputs.map(
    async (input): Promise<AnswerRequest> => ({
      call: {
        method: "generate",
        request: {
          model: model.name,
          input,
          sampling: toSampling(values),
          stop: toStop(values, maxTokens),
          scheduling: toScheduling(values),
          output: toOutput(values, logprobs),
          ...(asked === undefined ? {} : { constraint: asked.constraint }),
          ...(values.n === undefined ? {} : { n: values.n }),
          ...truncation,
          details: values.return_token_ids === true,
        },
      },
      beginsText: false,
      echo: values.echo === true ? await toText(input, upstream, options.signal) : "",
    }),
  );
  return {
    id: `cmpl-${randomUUID().replaceAll("-", "")}`,
    created: Math.floor(Date.now() / 1000),
    model: model.name,
    maxPositions: model.maxPositions,
    maxTokens,
    upstream,
    requests: await Promise.all(requests),
    constraintParam: asked?.param,
    format: completionFormat,
    answersEach: values.n ?? 1,
    stream: values.stream === true,
    streamUsage,
    shown: toShownOutput(values, logprobs),
    warnings: [...warnings, ...warnOfIgnored(values)],
  };
}

/** @throws {ApiError} if there is to be no answer, and nothing of the prompt is asked for either */
function logprobsAsked(values: z.infer<typeof completionBody>, maxTokens: number): LogprobsAsked {
  const { logprobs, prompt_logprobs, echo } = values;
  const echoed = echo === true ? logprobs : undefined;
  const promptTop = prompt_logprobs ?? echoed ?? (echo === true && maxTokens === 0 ? 0 : undefined);
  if (maxTokens === 0 && promptTop === undefined) {
    const message = "max_tokens: expected 1 or more, or echo: true beside it, found 0";
    throw new ApiError("invalid_parameter", message, { param: "max_tokens" });
  }
  return { top: logprobs, promptTop, tokenIds: namedTokens(values, logprobs) };
}

async function toText(
  input: PromptInput,
  upstream: ModelUpstream,
  signal: AbortSignal,
): Promise<string> {
  if (input.case === "text") return input.value;
  return upstream.detokenize({ tokenIds: input.value.ids ?? [] }, signal);
}
