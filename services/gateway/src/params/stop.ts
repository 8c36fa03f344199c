// When an answer ends.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { stopStringLengthMax, stopStringsMax } from "@octet/core";
import type { StopParamsSchema } from "@octet/protocol";
import { z } from "zod";
import { pickAlias } from "./pick-alias.ts";

/** Most token ids that end an answer. */
const stopTokensMax = 64;

const stopString = z.string().min(1).max(stopStringLengthMax);
const uint32Max = 2 ** 32 - 1;
const tokenId = z.number().int().min(0).max(uint32Max);
const maxTokens = z.number().int().max(uint32Max);

/** The parameters, under each name they have. */
export const stopShape = {
  max_tokens: maxTokens.min(0).optional().describe("Longest answer, in tokens."),
  max_completion_tokens: maxTokens.min(1).optional().describe("Another name for max_tokens."),
  stop: z
    .union([stopString, z.array(stopString).max(stopStringsMax)], {
      error:
        `expected a string of 1 to ${stopStringLengthMax} characters, ` +
        `or at most ${stopStringsMax} of them`,
    })
    .optional()
    .describe("The answer ends before the first of these."),
  stop_token_ids: z.array(tokenId).max(stopTokensMax).optional(),
  min_tokens: maxTokens.min(0).optional().describe("Shortest answer, in tokens. Default 0."),
  include_stop_str_in_output: z.boolean().optional().describe("Default false."),
  ignore_eos: z.boolean().optional().describe("Go on after the model's own end."),
} as const;

type StopValues = z.infer<z.ZodObject<typeof stopShape>>;

/** The longest answer asked for, under either name. */
export function maxTokensOf(values: Pick<StopValues, "max_tokens" | "max_completion_tokens">) {
  const { max_tokens, max_completion_tokens } = values;
  return pickAlias({ max_tokens, max_completion_tokens });
}

/** @param asked tokens; undefined is the rest of the context */
export function toStop(
  values: StopValues,
  asked: number | undefined,
): MessageInitShape<typeof StopParamsSchema> {
  const { stop, stop_token_ids, min_tokens, include_stop_str_in_output, ignore_eos } = values;
  return {
    ...(asked === undefined ? {} : { maxTokens: asked }),
    tokenIds: stop_token_ids ?? [],
    ...(min_tokens === undefined ? {} : { minTokens: min_tokens }),
    includeStopString: include_stop_str_in_output === true,
    strings: stop === undefined ? [] : typeof stop === "string" ? [stop] : stop,
    ...(ignore_eos === undefined ? {} : { ignoreEos: ignore_eos }),
  };
}
