// Parameters that are understood and that no coordinator can do yet.
import { z } from "zod";
import { ApiError } from "../http/api-error.ts";

/** Values that ask for nothing, by parameter: clients send them all the same. */
const neutral: Readonly<Record<string, (value: unknown) => boolean>> = {
  best_of: (value) => value === 1,
  suffix: (value) => value === "",
  prompt_logprobs: () => false,
  logprob_token_ids: isEmpty,
  bad_words: isEmpty,
  typical_p: (value) => value === 1,
  use_beam_search: (value) => value === false,
  tools: isEmpty,
  tool_choice: (value) => value === "none" || value === "auto",
  functions: isEmpty,
  function_call: (value) => value === "none" || value === "auto",
  truncate_prompt_tokens: (value) => value === -1,
  chat_template: () => false,
  audio: () => false,
};

/** To be spread into a schema, so that they are no unknown parameters. */
export const notSupportedShape = Object.fromEntries(
  Object.keys(neutral).map((name) => [name, z.unknown().optional()]),
) as Record<string, z.ZodOptional<z.ZodUnknown>>;

/** @throws {ApiError} "not_supported" naming the first that asks for something */
export function refuseNotSupported(values: Readonly<Record<string, unknown>>): void {
  for (const [param, isNeutral] of Object.entries(neutral)) {
    const value = values[param];
    if (value === undefined || isNeutral(value)) continue;
    throw new ApiError("not_supported", `${param}: not supported by this server; leave it out`, {
      param,
    });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isEmpty(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 0;
}
