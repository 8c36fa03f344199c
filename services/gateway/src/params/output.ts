// What an answer carries besides its text.
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { OutputParamsSchema } from "@octet/protocol";
import { z } from "zod";
import { ApiError } from "../http/api-error.ts";

/** Most likeliest tokens listed for one place. */
const topLogprobsMax = 20;
/** Most answers to one prompt. */
const answersMax = 8;
const topLogprobs = z.number().int().min(0).max(topLogprobsMax);

/** The parameters that both kinds of answer have. */
export const outputShape = {
  n: z.number().int().min(1).max(answersMax).optional().describe("Answers to each prompt."),
  return_token_ids: z.boolean().optional().describe("Token ids of prompt and answer."),
  routed_experts: z
    .boolean()
    .optional()
    .describe(
      "Which experts each token used: a .npy file in base64, u1 [tokens, layers, experts].",
    ),
  return_progress: z
    .boolean()
    .optional()
    .describe(
      "llama-server's: a stream's chunks with prompt_progress while the prompt is computed.",
    ),
} as const;

/** A chat's. */
export const chatLogprobsShape = {
  logprobs: z.boolean().optional(),
  top_logprobs: topLogprobs.optional().describe("Likeliest tokens beside the chosen one."),
} as const;

/** A completion's. */
export const completionLogprobsShape = {
  logprobs: topLogprobs.optional().describe("Likeliest tokens beside the chosen one."),
  prompt_logprobs: topLogprobs.optional().describe("vLLM's: the same of the prompt's tokens."),
} as const;

type OutputValues = z.infer<z.ZodObject<typeof outputShape>>;

/** What is shown of an answer. */
export interface ShownOutput {
  readonly tokenIds: boolean;
  readonly logprobs: boolean;
  /** vLLM's member of that name. */
  readonly promptLogprobs: boolean;
  readonly routedExperts: boolean;
  readonly progress: boolean;
}

/** How many likeliest tokens are asked for; undefined asks for no log-probabilities. */
export interface LogprobsAsked {
  readonly top?: number | undefined;
  readonly promptTop?: number | undefined;
}

/** @throws {ApiError} for top_logprobs without logprobs */
export function chatLogprobsAsked(
  values: z.infer<z.ZodObject<typeof chatLogprobsShape>>,
): LogprobsAsked {
  const { logprobs = false, top_logprobs = 0 } = values;
  if (top_logprobs > 0 && !logprobs) {
    const message = "top_logprobs: expected logprobs: true beside it";
    throw new ApiError("invalid_parameter", message, { param: "top_logprobs" });
  }
  return logprobs ? { top: top_logprobs } : {};
}

/** What a coordinator is told. */
export function toOutput(
  values: OutputValues,
  { top, promptTop }: LogprobsAsked,
): MessageInitShape<typeof OutputParamsSchema> {
  return {
    ...(top === undefined ? {} : { topLogprobs: top }),
    ...(promptTop === undefined ? {} : { promptTopLogprobs: promptTop }),
    routedExperts: values.routed_experts === true,
    progress: values.return_progress === true,
  };
}

/** What of it the client sees. */
export function toShownOutput(
  values: OutputValues & { readonly prompt_logprobs?: number | undefined },
  { top }: LogprobsAsked,
): ShownOutput {
  return {
    tokenIds: values.return_token_ids === true,
    logprobs: top !== undefined,
    promptLogprobs: values.prompt_logprobs !== undefined,
    routedExperts: values.routed_experts === true,
    progress: values.return_progress === true,
  };
}
