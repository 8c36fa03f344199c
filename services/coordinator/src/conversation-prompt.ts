// A conversation as requests carry it, checked and encoded; errors name the message.
import type { ChatMessage } from "@octet/protocol";
import {
  renderTools,
  type Tokenizer,
  TokenizerError,
  type ToolChatMessage,
} from "@octet/tokenizer";
import type { RequestTools } from "./constraint-request.ts";
import { RequestError } from "./request-error.ts";

/** Most messages one conversation may have. */
const chatMessagesMax = 4096;

/**
 * The conversation in the model's template, up to where the reply begins, or goes on.
 *
 * @param about field: where the messages stand in the request, for errors
 * @throws {RequestError} "invalid_parameter", naming the message
 * @throws {TokenizerError} where there is no template that can be used
 */
export function encodeConversation(
  messages: readonly ChatMessage[],
  tokenizer: Tokenizer,
  about: RequestTools & { readonly field: string },
): { readonly tokenIds: Int32Array; readonly continuesText: boolean } {
  const { field, tools, choice } = about;
  requireCount(messages.length, field);
  const known = messages.map((message, index) => toKnown(message, `${field}[${index}]`));
  const continuesLast = hasPrefix(messages, field);
  let rendered: ReturnType<typeof renderTools> | undefined;
  try {
    rendered = renderTools(known, tools, choice);
    const tokenIds = tokenizer.encodeChat(rendered, { continuesLast });
    return { tokenIds, continuesText: continuesLast && known.at(-1)!.content !== "" };
  } catch (error) {
    if (!(error instanceof TokenizerError) || error.code !== "bad-messages") throw error;
    const { message, messageIndex } = error;
    // Where tools added or joined messages, the template's numbers are not the request's.
    const isSame = rendered === undefined || rendered.length === known.length;
    const isPlaced = messageIndex !== undefined && isSame;
    const blamed = isPlaced ? `${field}[${messageIndex}]` : field;
    throw new RequestError("invalid_parameter", message, { field: blamed, cause: error });
  }
}

function requireCount(found: number, field: string): void {
  if (found > 0 && found <= chatMessagesMax) return;
  const detail = `${field}: expected 1 to ${chatMessagesMax} messages, found ${found}`;
  const metadata = { limit: `${chatMessagesMax}`, found: `${found}` };
  throw new RequestError("invalid_parameter", detail, { field, metadata });
}

/** Whether the last message is the beginning of the reply. */
function hasPrefix(messages: readonly ChatMessage[], field: string): boolean {
  const index = messages.findIndex((message) => message.prefix);
  if (index < 0) return false;
  const { role } = messages[index]!;
  if (index === messages.length - 1 && role === "assistant") return true;
  const place = `${field}[${index}].prefix`;
  const found = `message ${index} of ${messages.length}, with role ${role}`;
  throw new RequestError(
    "invalid_parameter",
    `${place}: expected it on the last message only, an assistant's; found it on ${found}`,
    { field: place },
  );
}

function toKnown(message: ChatMessage, place: string): ToolChatMessage {
  const { role, content, toolCalls, toolCallId } = message;
  const isKnown = role === "system" || role === "user" || role === "assistant" || role === "tool";
  if (isKnown) {
    return { role, content, toolCalls, toolCallId: toolCallId === "" ? undefined : toolCallId };
  }
  const found = JSON.stringify(role);
  throw new RequestError(
    "invalid_parameter",
    `${place}.role: expected system, user, assistant or tool, found ${found}`,
    { field: `${place}.role` },
  );
}
