// What an answer carries besides its text.
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { OutputParamsSchema } from "@octet/protocol";
import { z } from "zod";
import { ApiError } from "../http/api-error.ts";

/** Most likeliest tokens listed for one place. */
const topLogprobsMax = 20;
/** Most answers to one prompt. */
const answersMax = 8;
/** Most tokens that one request may name to be told of. */
const logprobTokenIdsMax = 1024;
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

const vllmLogprobsShape = {
  prompt_logprobs: topLogprobs.optional().describe("vLLM's: the same of the prompt's tokens."),
  logprob_token_ids: z
    .array(
      z
        .number()
        .int()
        .min(0)
        .max(2 ** 32 - 1),
    )
    .max(logprobTokenIdsMax)
    .optional()
    .describe("vLLM's: beside the chosen tokens not the likeliest but these."),
} as const;

/** A chat's. */
export const chatLogprobsShape = {
  logprobs: z.boolean().optional(),
  top_logprobs: topLogprobs.optional().describe("Likeliest tokens beside the chosen one."),
  ...vllmLogprobsShape,
} as const;

/** A completion's. */
export const completionLogprobsShape = {
  logprobs: topLogprobs.optional().describe("Likeliest tokens beside the chosen one."),
  ...vllmLogprobsShape,
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
  /** These instead of the likeliest. */
  readonly tokenIds?: readonly number[] | undefined;
  readonly promptTop?: number | undefined;
}

/** @throws {ApiError} for what goes with logprobs, without them */
export function chatLogprobsAsked(
  values: z.infer<z.ZodObject<typeof chatLogprobsShape>>,
): LogprobsAsked {
  const { logprobs = false, top_logprobs = 0, prompt_logprobs: promptTop } = values;
  if (top_logprobs > 0 && !logprobs) {
    const message = "top_logprobs: expected logprobs: true beside it";
    throw new ApiError("invalid_parameter", message, { param: "top_logprobs" });
  }
  const top = logprobs ? top_logprobs : undefined;
  return { top, promptTop, tokenIds: namedTokens(values, top) };
}

/** @throws {ApiError} for tokens to be told of where none are, or others are too */
export function namedTokens(
  { logprob_token_ids: ids = [] }: z.infer<z.ZodObject<typeof vllmLogprobsShape>>,
  top: number | undefined,
): readonly number[] {
  if (ids.length === 0 || top === 0) return ids;
  const message =
    "logprob_token_ids: expected logprobs beside it, and none of the likeliest; " +
    `found ${top === undefined ? "no logprobs" : `${top} of the likeliest`}`;
  throw new ApiError("invalid_parameter", message, { param: "logprob_token_ids" });
}

/** What a coordinator is told. */
export function toOutput(
  values: OutputValues,
  { top, promptTop, tokenIds = [] }: LogprobsAsked,
): MessageInitShape<typeof OutputParamsSchema> {
  return {
    ...(top === undefined ? {} : { topLogprobs: top }),
    ...(promptTop === undefined ? {} : { promptTopLogprobs: promptTop }),
    logprobTokenIds: [...tokenIds],
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
