// How the next token is chosen.
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { SamplingParamsSchema } from "@octet/protocol";
import { z } from "zod";
import { pickAlias } from "./pick-alias.ts";

/** Beyond it all tokens are about as likely as each other; a float of the wire holds it. */
const temperatureMax = 100;
const uint32Max = 2 ** 32 - 1;

const seed = z.number().int().min(-1).max(Number.MAX_SAFE_INTEGER);

/** The parameters, under each name they have. */
export const samplingShape = {
  temperature: z.number().min(0).max(temperatureMax).optional().describe("0 is greedy. Default 1."),
  top_p: z.number().gt(0).max(1).optional().describe("Default 1."),
  top_k: z.number().int().min(-1).max(uint32Max).optional().describe("0 and -1 keep all tokens."),
  min_p: z.number().min(0).lt(1).optional().describe("Default 0."),
  seed: seed.optional().describe("Same seed, same answer. -1, or none: the server's choice."),
  random_seed: seed.optional().describe("Mistral's name for seed."),
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
    ...(seedAsked === undefined || seedAsked < 0 ? {} : { seed: BigInt(seedAsked) }),
  };
}
