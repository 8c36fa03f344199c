// A conversation: the roles and contents that clients send, as the model's template takes them.
import { promptBytesMax } from "@octet/core";
import { z } from "zod";
import { ApiError } from "../http/api-error.ts";

/** Most messages of one conversation. */
const messagesMax = 4096;

/** Most calls of one message. */
const toolCallsMax = 128;

const textPart = z.object({ type: z.string(), text: z.string().optional() });

const content = z.union([z.string(), z.array(textPart).max(messagesMax)], {
  error: 'expected a string, or a list of {"type": "text", "text": "..."}',
});

const toolCall = z.object({
  id: z.string().max(256).nullish(),
  function: z.object({
    name: z.string().min(1).max(256),
    arguments: z
      .union([z.string(), z.record(z.string(), z.unknown())], {
        error: "expected an object, or its JSON text",
      })
      .describe("Of Mistral's clients an object."),
  }),
});

const message = z.object({
  role: z.enum(["system", "developer", "user", "assistant", "tool", "function"]),
  content: content.nullish(),
  name: z.string().max(256).nullish(),
  prefix: z.boolean().nullish(),
  tool_calls: z.array(toolCall).max(toolCallsMax).nullish(),
  tool_call_id: z.string().max(256).nullish(),
  refusal: z.unknown().optional(),
});

/** The parameter. */
export const messagesShape = {
  messages: z.array(message).min(1).max(messagesMax),
} as const;

type Messages = z.infer<typeof messagesShape.messages>;

/** One message as a coordinator takes it. */
export interface PromptMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string;
  readonly prefix: boolean;
  readonly toolCalls: { id: string; name: string; argumentsJson: string }[];
  readonly toolCallId: string;
}

/**
 * The messages as plain text; their order is for the model's template to judge.
 *
 * @throws {ApiError} naming the message at fault
 */
export function toPromptMessages(messages: Messages): PromptMessage[] {
  return messages.map((each, index) => {
    return {
      role: toRole(each.role, index),
      content: toText(each, index),
      prefix: each.prefix === true,
      toolCalls: toToolCalls(each),
      toolCallId: each.tool_call_id ?? "",
    };
  });
}

function toRole(role: Messages[number]["role"], index: number): PromptMessage["role"] {
  if (role === "developer") return "system";
  if (role === "function") {
    throw notSupported(`messages[${index}].role`, "expected tool, which came after it");
  }
  return role;
}

function toToolCalls({ tool_calls }: Messages[number]): PromptMessage["toolCalls"] {
  return (tool_calls ?? []).map(({ id, function: { name, arguments: given } }) => ({
    id: id ?? "",
    name,
    argumentsJson: typeof given === "string" ? given : JSON.stringify(given),
  }));
}

function toText(each: Messages[number], index: number): string {
  if (typeof each.content === "string") return each.content;
  if (each.content == null) {
    if (each.tool_calls != null && each.tool_calls.length > 0) return "";
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

/** @throws {ApiError} if the conversation has more text than a prompt may have */
export function requireConversationBytes(messages: readonly PromptMessage[]): void {
  const texts = messages.flatMap(({ content, toolCalls }) => [
    content,
    ...toolCalls.flatMap(({ name, argumentsJson }) => [name, argumentsJson]),
  ]);
  requirePromptBytes(texts, "messages");
}

/** @throws {ApiError} if there is more text than a prompt may have */
export function requirePromptBytes(texts: readonly string[], param: string): void {
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes <= promptBytesMax) return;
  const message = `${param}: expected at most ${promptBytesMax} bytes of text, found ${bytes}`;
  throw new ApiError("invalid_parameter", message, { param });
}
