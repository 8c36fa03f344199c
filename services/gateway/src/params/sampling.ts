// How the next token is chosen.
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { SamplingParamsSchema } from "@octet/protocol";
import { z } from "zod";
import { ApiError } from "../http/api-error.ts";
import { pickAlias } from "./pick-alias.ts";

/** Beyond it all tokens are about as likely as each other; a float of the wire holds it. */
const temperatureMax = 100;
const uint32Max = 2 ** 32 - 1;

/** Most tokens whose logits one request may change, and most it may restrict the answer to. */
const biasesMax = 1024;
const allowedMax = 32_768;

/** Most words that an answer may not say, and the longest, in characters. */
const badWordsMax = 128;
const badWordLengthMax = 1024;

const penalty = z.number().min(-2).max(2);
const repetition = z.number().gt(0).max(temperatureMax);
const tokenId = z.number().int().min(0).max(uint32Max);
const tokenIdKey = z.string().regex(/^\d{1,10}$/, "expected token ids as keys");

const seed = z.number().int().min(-1).max(Number.MAX_SAFE_INTEGER);

/** The parameters, under each name they have. */
export const samplingShape = {
  temperature: z.number().min(0).max(temperatureMax).optional().describe("0 is greedy. Default 1."),
  top_p: z.number().gt(0).max(1).optional().describe("Default 1."),
  top_k: z.number().int().min(-1).max(uint32Max).optional().describe("0 and -1 keep all tokens."),
  min_p: z.number().min(0).lt(1).optional().describe("Default 0."),
  seed: seed.optional().describe("Same seed, same answer. -1, or none: the server's choice."),
  random_seed: seed.optional().describe("Mistral's name for seed."),
  frequency_penalty: penalty.optional().describe("For each time that a token was said."),
  presence_penalty: penalty.optional().describe("For tokens that were said."),
  repetition_penalty: repetition.optional().describe("Above 1 repeats less. Default 1."),
  repeat_penalty: repetition.optional().describe("llama-server's name for it."),
  logit_bias: z
    .record(tokenIdKey, z.number().min(-100).max(100))
    .refine((bias) => Object.keys(bias).length <= biasesMax, `expected at most ${biasesMax}`)
    .optional()
    .describe("Token id to what is added to its logit."),
  allowed_token_ids: z.array(tokenId).min(1).max(allowedMax).optional(),
  bad_words: z
    .array(z.string().min(1).max(badWordLengthMax))
    .max(badWordsMax)
    .optional()
    .describe("vLLM's: words that the answer may not say."),
} as const;

type SamplingValues = z.infer<z.ZodObject<typeof samplingShape>>;

/** @throws {ApiError} for two names of one parameter that do not agree */
export function toSampling(values: SamplingValues): MessageInitShape<typeof SamplingParamsSchema> {
  const seedAsked = pickAlias({ seed: values.seed, random_seed: values.random_seed });
  const { temperature, top_p: topP, top_k: topK, min_p: minP } = values;
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(topK === undefined || topK <= 0 ? {} : { topK }),
    ...(minP === undefined ? {} : { minP }),
    ...toPenalties(values),
    ...(values.logit_bias === undefined ? {} : { logitBias: toLogitBias(values.logit_bias) }),
    allowedTokenIds: values.allowed_token_ids ?? [],
    badWords: values.bad_words ?? [],
    ...(seedAsked === undefined || seedAsked < 0 ? {} : { seed: BigInt(seedAsked) }),
  };
}

function toPenalties(values: SamplingValues) {
  const { repetition_penalty, repeat_penalty, presence_penalty, frequency_penalty } = values;
  const repetitionPenalty = pickAlias({ repetition_penalty, repeat_penalty });
  return {
    ...(repetitionPenalty === undefined ? {} : { repetitionPenalty }),
    ...(presence_penalty === undefined ? {} : { presencePenalty: presence_penalty }),
    ...(frequency_penalty === undefined ? {} : { frequencyPenalty: frequency_penalty }),
  };
}

/** A key that is too large for a token id is refused by its number. */
function toLogitBias(bias: Readonly<Record<string, number>>): Record<number, number> {
  for (const id of Object.keys(bias)) {
    if (Number(id) <= uint32Max) continue;
    const message = "logit_bias: expected token ids as keys, found one that is too large";
    throw new ApiError("invalid_parameter", message, { param: "logit_bias" });
  }
  return bias;
}
