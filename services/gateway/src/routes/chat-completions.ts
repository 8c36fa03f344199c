// POST /v1/chat/completions
import { randomUUID } from "node:crypto";
import type { Model } from "@octet/protocol";
import { z } from "zod";
import { chatFormat } from "../answers/answer-format.ts";
import type { AnswerPlan } from "../answers/answer-plan.ts";
import { ApiError } from "../http/api-error.ts";
import { constraintShape, toConstraint } from "../params/constraint.ts";
import { continuedReplyShape, continueReply } from "../params/continued-reply.ts";
import { ignoredShape, silentShape, warnOfIgnored } from "../params/ignored.ts";
import { messagesShape, requireConversationBytes, toPromptMessages } from "../params/messages.ts";
import { notSupportedShape, refuseNotSupported } from "../params/not-supported.ts";
import {
  chatLogprobsAsked,
  chatLogprobsShape,
  outputShape,
  toOutput,
  toShownOutput,
} from "../params/output.ts";
import { readBody } from "../params/read-body.ts";
import { samplingShape, toSampling } from "../params/sampling.ts";
import { schedulingShape, toScheduling } from "../params/scheduling.ts";
import { maxTokensOf, stopShape, toStop } from "../params/stop.ts";
import { streamShape, toStreamUsage } from "../params/stream-options.ts";
import { toolsShape, toTools } from "../params/tools.ts";
import { toTruncation, truncationShape } from "../params/truncation.ts";
import type { Coordinators } from "../upstream/coordinators.ts";

/** The body. */
export const chatCompletionBody = z.object({
  ...notSupportedShape,
  model: z.string().max(256).optional().describe("Default: the one model that is served."),
  ...messagesShape,
  ...continuedReplyShape,
  ...samplingShape,
  ...stopShape,
  ...streamShape,
  ...outputShape,
  ...chatLogprobsShape,
  ...truncationShape,
  ...constraintShape,
  ...toolsShape,
  ...schedulingShape,
  ...silentShape,
  ...ignoredShape,
});

/** @throws {ApiError} for a body that is wrong, or a model that is not there */
export function planChatCompletion(
  body: unknown,
  coordinators: Coordinators,
  options: { readonly strict: boolean },
): AnswerPlan {
  const { values, warnings } = readBody(chatCompletionBody, body, options);
  refuseNotSupported({ ...values, tools: undefined, tool_choice: undefined }); // a chat has them
  const { messages, echo } = continueReply(toPromptMessages(values.messages), values);
  requireConversationBytes(messages);
  const maxTokens = maxTokensOf(values);
  if (maxTokens === 0) {
    const message = "max_tokens: expected 1 or more, found 0";
    throw new ApiError("invalid_parameter", message, { param: "max_tokens" });
  }
  const logprobs = chatLogprobsAsked(values);
  const asked = toConstraint(values);
  const tools = toTools(values);
  const streamUsage = toStreamUsage(values);
  const truncation = toTruncation(values);
  const model = coordinators.model(values.model);
  requireChatTemplate(model);
  return {
    id: `chatcmpl-${randomUUID().replaceAll("-", "")}`,
    created: Math.floor(Date.now() / 1000),
    model: model.name,
    maxPositions: model.maxPositions,
    maxTokens,
    upstream: coordinators.of(model),
    requests: [
      {
        call: {
          method: "chat",
          request: {
            model: model.name,
            messages: [...messages],
            sampling: toSampling(values),
            stop: toStop(values, maxTokens),
            scheduling: toScheduling(values),
            output: toOutput(values, logprobs),
            ...(asked === undefined ? {} : { constraint: asked.constraint }),
            ...tools,
            ...(values.n === undefined ? {} : { n: values.n }),
            ...truncation,
            details: values.return_token_ids === true,
          },
        },
        beginsText: messages.at(-1)?.prefix !== true,
        echo,
      },
    ],
    constraintParam: asked?.param,
    format: chatFormat,
    answersEach: values.n ?? 1,
    stream: values.stream === true,
    streamUsage,
    shown: toShownOutput(values, logprobs),
    warnings: [...warnings, ...warnOfIgnored(values)],
  };
}

/** @throws {ApiError} for a model that was never taught to chat */
export function requireChatTemplate({ name, hasChatTemplate }: Model): void {
  if (hasChatTemplate) return;
  const message = `${JSON.stringify(name)} has no chat template; use /v1/completions`;
  throw new ApiError("not_supported", message, { param: "messages" });
}
