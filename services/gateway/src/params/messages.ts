// A conversation: the roles and contents that clients send, as the model's template takes them.
import { promptBytesMax } from "@octet/core";
import { z } from "zod";
import { ApiError } from "../http/api-error.ts";

/** Most messages of one conversation. */
const messagesMax = 4096;

const textPart = z.object({ type: z.string(), text: z.string().optional() });

const content = z.union([z.string(), z.array(textPart).max(messagesMax)], {
  error: 'expected a string, or a list of {"type": "text", "text": "..."}',
});

const message = z.object({
  role: z.enum(["system", "developer", "user", "assistant", "tool", "function"]),
  content: content.nullish(),
  name: z.string().max(256).nullish(),
  prefix: z.boolean().nullish(),
  tool_calls: z.array(z.unknown()).nullish(),
  tool_call_id: z.string().nullish(),
  refusal: z.unknown().optional(),
});

/** The parameter. */
export const messagesShape = {
  messages: z.array(message).min(1).max(messagesMax),
} as const;

type Messages = z.infer<typeof messagesShape.messages>;

/** One message as a coordinator takes it. */
export interface PromptMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
  readonly prefix: boolean;
}

/**
 * The messages as plain text; their order is for the model's template to judge.
 *
 * @throws {ApiError} naming the message at fault
 */
export function toPromptMessages(messages: Messages): PromptMessage[] {
  return messages.map((each, index) => {
    refuseToolCalls(each, index);
    const role = toRole(each.role, index);
    return { role, content: toText(each, index), prefix: each.prefix === true };
  });
}

function toRole(role: Messages[number]["role"], index: number): PromptMessage["role"] {
  if (role === "developer") return "system";
  if (role === "tool" || role === "function") {
    throw notSupported(`messages[${index}].role`, "tools are not supported by this server");
  }
  return role;
}

function refuseToolCalls(each: Messages[number], index: number): void {
  if (each.tool_calls != null && each.tool_calls.length > 0) {
    throw notSupported(`messages[${index}].tool_calls`, "tools are not supported by this server");
  }
}

function toText(each: Messages[number], index: number): string {
  if (typeof each.content === "string") return each.content;
  if (each.content == null) {
    const param = `messages[${index}].content`;
    throw new ApiError("invalid_parameter", `${param}: expected text, found nothing`, { param });
  }
  const texts = each.content.map((part, partIndex) => {
    const param = `messages[${index}].content[${partIndex}]`;
    if (part.type !== "text") {
      throw notSupported(`${param}.type`, "expected text; this model reads nothing else");
    }
    if (part.text !== undefined) return part.text;
    throw new ApiError("invalid_parameter", `${param}.text: expected a string, found nothing`, {
      param: `${param}.text`,
    });
  });
  return texts.join("");
}

function notSupported(param: string, why: string): ApiError {
  return new ApiError("not_supported", `${param}: ${why}`, { param });
}

/** @throws {ApiError} if there is more text than a prompt may have */
export function requirePromptBytes(texts: readonly string[], param: string): void {
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes <= promptBytesMax) return;
  const message = `${param}: expected at most ${promptBytesMax} bytes of text, found ${bytes}`;
  throw new ApiError("invalid_parameter", message, { param });
}
