// How a request is treated beside others.
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { SchedulingParamsSchema } from "@octet/protocol";
import { z } from "zod";

const int32Max = 2 ** 31 - 1;
const clientIdLengthMax = 256;
const saltLengthMax = 256;

/** The parameters. */
export const schedulingShape = {
  user: z
    .string()
    .max(clientIdLengthMax)
    .optional()
    .describe("Who asks: where there is not enough for all, users get equal shares."),
  safety_identifier: z.string().max(clientIdLengthMax).optional().describe("OpenAI's newer name."),
  priority: z.number().int().min(-int32Max).max(int32Max).optional().describe("Lower goes first."),
  cache_salt: z
    .string()
    .max(saltLengthMax)
    .optional()
    .describe("Computed prefixes are shared only under the same salt."),
  cache_prompt: z
    .boolean()
    .optional()
    .describe("llama-server's: whether a computed prefix may be used and kept. Default true."),
} as const;

type Values = z.infer<z.ZodObject<typeof schedulingShape>>;

/** What a coordinator is told. */
export function toScheduling(values: Values): MessageInitShape<typeof SchedulingParamsSchema> {
  const { user, safety_identifier, priority = 0, cache_salt = "", cache_prompt } = values;
  return {
    clientId: safety_identifier ?? user ?? "",
    priority,
    cacheSalt: cache_salt,
    ...(cache_prompt === undefined ? {} : { prefixCache: cache_prompt }),
  };
}
