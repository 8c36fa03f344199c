// A reply whose beginning the client wrote: Mistral's `prefix`, and vLLM's `continue_final_message`.
import { z } from "zod";
import { ApiError } from "../http/api-error.ts";
import type { PromptMessage } from "./messages.ts";

/** vLLM's parameters. Mistral's is a member of the last message. */
export const continuedReplyShape = {
  continue_final_message: z.boolean().optional().describe("Go on with the last message."),
  add_generation_prompt: z.boolean().optional().describe("Its opposite. Default true."),
} as const;

type Values = z.infer<z.ZodObject<typeof continuedReplyShape>>;

/**
 * The messages with the last one marked, if the reply begins with it.
 *
 * @returns also what the reply repeats: under Mistral's name it begins with the prefix itself, under
 *   vLLM's with what follows
 * @throws {ApiError} if the last message is no reply
 */
export function continueReply(
  messages: readonly PromptMessage[],
  { continue_final_message, add_generation_prompt }: Values,
): { messages: readonly PromptMessage[]; echo: string } {
  if (add_generation_prompt !== undefined && add_generation_prompt === continue_final_message) {
    const message = "add_generation_prompt: expected the opposite of continue_final_message";
    throw new ApiError("invalid_parameter", message, { param: "add_generation_prompt" });
  }
  if (add_generation_prompt === false && continue_final_message !== true) {
    const message = "add_generation_prompt: false is supported with continue_final_message only";
    throw new ApiError("not_supported", message, { param: "add_generation_prompt" });
  }
  const last = messages.at(-1)!;
  if (continue_final_message !== true) return { messages, echo: last.prefix ? last.content : "" };
  if (last.role !== "assistant") {
    const message = "continue_final_message: expected an assistant's message last, found another";
    throw new ApiError("invalid_parameter", message, { param: "continue_final_message" });
  }
  return { messages: [...messages.slice(0, -1), { ...last, prefix: true }], echo: "" };
}
