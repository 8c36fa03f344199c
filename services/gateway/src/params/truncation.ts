// A prompt made shorter because its client asks for that: nothing else ever cuts one.
import { z } from "zod";
import { ApiError } from "../http/api-error.ts";

const uint32Max = 2 ** 32 - 1;

/** The parameter. */
export const truncationShape = {
  truncate_prompt_tokens: z
    .number()
    .int()
    .min(-1)
    .max(uint32Max)
    .optional()
    .describe("vLLM's: keeps the prompt's last tokens, so many or, at -1, what fits max_tokens."),
} as const;

/** What a coordinator is told. @throws {ApiError} for 0, or beside an echo of the whole prompt */
export function toTruncation(
  { truncate_prompt_tokens: length }: z.infer<z.ZodObject<typeof truncationShape>>,
  echo = false,
): { truncatePromptTokens?: number } {
  if (length === undefined) return {};
  const param = "truncate_prompt_tokens";
  if (length === 0) {
    throw new ApiError("invalid_parameter", `${param}: expected 1 or more, or -1, found 0`, {
      param,
    });
  }
  if (echo) {
    const message = `${param}: expected no echo beside it, which is of the whole prompt`;
    throw new ApiError("invalid_parameter", message, { param });
  }
  return { truncatePromptTokens: Math.max(0, length) };
}
