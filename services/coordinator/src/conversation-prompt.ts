// A conversation as requests carry it, checked and encoded; errors name the message.
import type { ChatMessage } from "@octet/protocol";
import {
  type Tokenizer,
  TokenizerError,
  type ChatMessage as TokenizerMessage,
} from "@octet/tokenizer";
import { RequestError } from "./request-error.ts";

/** Most messages one conversation may have. */
const chatMessagesMax = 4096;

/**
 * The conversation in the model's template, up to where the reply begins, or goes on.
 *
 * @param field where the messages stand in the request, for errors
 * @throws {RequestError} "invalid_parameter", naming the message
 * @throws {TokenizerError} where there is no template that can be used
 */
export function encodeConversation(
  messages: readonly ChatMessage[],
  tokenizer: Tokenizer,
  field: string,
): { readonly tokenIds: Int32Array; readonly continuesText: boolean } {
  requireCount(messages.length, field);
  const known = messages.map((message, index) => toKnown(message, `${field}[${index}]`));
  const continuesLast = hasPrefix(messages, field);
  try {
    const tokenIds = tokenizer.encodeChat(known, { continuesLast });
    return { tokenIds, continuesText: continuesLast && known.at(-1)!.content !== "" };
  } catch (error) {
    if (!(error instanceof TokenizerError) || error.code !== "bad-messages") throw error;
    const { message, messageIndex } = error;
    const blamed = messageIndex === undefined ? field : `${field}[${messageIndex}]`;
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

function toKnown({ role, content }: ChatMessage, place: string): TokenizerMessage {
  if (role === "system" || role === "user" || role === "assistant") return { role, content };
  const found = JSON.stringify(role);
  throw new RequestError(
    "invalid_parameter",
    `${place}.role: expected system, user or assistant, found ${found}`,
    { field: `${place}.role` },
  );
}
