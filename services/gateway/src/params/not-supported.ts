// Parameters that are understood and that no coordinator can do.
import { z } from "zod";
import { ApiError } from "../http/api-error.ts";

interface Refusal {
  /** Whether a value asks for nothing: clients send such ones all the same. */
  readonly isNeutral: (value: unknown, values: Readonly<Record<string, unknown>>) => boolean;
  /** Why not, or what to do. */
  readonly because: string;
}

const refusals: Readonly<Record<string, Refusal>> = {
  best_of: {
    // As many as are asked for are made: the best of them are all of them.
    isNeutral: (value, { n }) => value === (n ?? 1),
    because: "answers are not compared; expected the same as n",
  },
  suffix: {
    isNeutral: (value) => value === "",
    because: "these models were not taught to fill in the middle",
  },
  typical_p: {
    isNeutral: (value) => value === 1,
    because: "use top_p or min_p",
  },
  use_beam_search: {
    isNeutral: (value) => value === false,
    because: "answers are sampled; use n",
  },
  truncation_side: {
    isNeutral: (value) => value === "left",
    because: "a prompt is cut at its beginning",
  },
  tools: { isNeutral: isEmpty, because: "a completion has no tools; use /v1/chat/completions" },
  tool_choice: {
    isNeutral: (value) => value === "none" || value === "auto",
    because: "a completion has no tools; use /v1/chat/completions",
  },
  functions: { isNeutral: isEmpty, because: "use tools" },
  function_call: {
    isNeutral: (value) => value === "none" || value === "auto",
    because: "use tool_choice",
  },
  chat_template: {
    isNeutral: () => false,
    because: "the model's own template is used; for another, send token ids to /v1/completions",
  },
  audio: { isNeutral: () => false, because: "the model writes text" },
};

/** To be spread into a schema, so that they are no unknown parameters. */
export const notSupportedShape = Object.fromEntries(
  Object.keys(refusals).map((name) => [name, z.unknown().optional()]),
) as Record<string, z.ZodOptional<z.ZodUnknown>>;

/** @throws {ApiError} "not_supported" naming the first that asks for something */
export function refuseNotSupported(values: Readonly<Record<string, unknown>>): void {
  for (const [param, { isNeutral, because }] of Object.entries(refusals)) {
    const value = values[param];
    if (value === undefined || isNeutral(value, values)) continue;
    throw new ApiError("not_supported", `${param}: not supported by this server: ${because}`, {
      param,
    });
  }
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
