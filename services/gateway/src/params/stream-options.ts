// Whether an answer is streamed, and what the stream says besides its text.
import { z } from "zod";
import { ApiError } from "../http/api-error.ts";

/** The parameters. */
export const streamShape = {
  stream: z.boolean().optional(),
  stream_options: z
    .object({
      include_usage: z.boolean().nullish(),
      continuous_usage_stats: z.boolean().nullish(),
    })
    .optional(),
} as const;

type StreamValues = z.infer<z.ZodObject<typeof streamShape>>;

/**
 * Where a stream says how many tokens there were: "chunk" is a last chunk without choices, as OpenAI
 * does when asked; "finish" is the chunk that ends an answer, as Mistral does; "every" is each chunk.
 */
export type StreamUsage = "none" | "finish" | "chunk" | "every";

/** @throws {ApiError} for options of a stream that is none */
export function toStreamUsage({ stream, stream_options: options }: StreamValues): StreamUsage {
  if (options === undefined) return "finish";
  if (stream !== true) {
    throw new ApiError("invalid_parameter", "stream_options: expected stream: true beside them", {
      param: "stream_options",
    });
  }
  if (options.include_usage !== true) return "none";
  return options.continuous_usage_stats === true ? "every" : "chunk";
}
