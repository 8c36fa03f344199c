// From a request's input to the token ids the model sees.
import { promptBytesMax } from "@octet/core";
import type { GenerateRequest, TokenizeRequest } from "@octet/protocol";
import { type ChatMessage, type Tokenizer, TokenizerError } from "@octet/tokenizer";
import { RequestError } from "./request-error.ts";

/** Most messages one conversation may have. */
const chatMessagesMax = 4096;

/**
 * The prompt's token ids. Text gets a beginning-of-sequence token, unless told otherwise; token
 * ids are used as they are; a conversation goes through the model's template.
 *
 * @throws {RequestError} "invalid_parameter" for an input that is missing, too large or out of range
 * @throws {TokenizerError} for a conversation that the template refuses
 */
export function toPromptTokenIds(
  input: GenerateRequest["input"] | TokenizeRequest["input"],
  tokenizer: Tokenizer,
  options: { addBos: boolean; vocabSize: number },
): Int32Array {
  switch (input.case) {
    case "text":
      requirePromptBytes([input.value]);
      return tokenizer.encode(input.value, { addBos: options.addBos });
    case "tokens":
      return checkTokenIds(input.value.ids, {
        vocabSize: options.vocabSize,
        field: "tokens.ids",
      });
    case "chat": {
      const { messages } = input.value;
      if (messages.length === 0 || messages.length > chatMessagesMax) {
        throw new RequestError(
          "invalid_parameter",
          `chat.messages: expected 1 to ${chatMessagesMax} messages, found ${messages.length}`,
          {
            field: "chat.messages",
            metadata: { limit: `${chatMessagesMax}`, found: `${messages.length}` },
          },
        );
      }
      requirePromptBytes(messages.map((message) => message.content));
      return encodeChat(
        messages.map(({ role, content }, index) => ({ role: toRole(role, index), content })),
        tokenizer,
      );
    }
    case undefined:
      throw new RequestError(
        "invalid_parameter",
        "input: expected text, tokens or chat; found none",
        { field: "input" },
      );
  }
}

function encodeChat(messages: readonly ChatMessage[], tokenizer: Tokenizer): Int32Array {
  try {
    return tokenizer.encodeChat(messages);
  } catch (error) {
    if (!(error instanceof TokenizerError) || error.code !== "bad-messages") throw error;
    const { message, messageIndex } = error;
    const field = messageIndex === undefined ? "chat.messages" : `chat.messages[${messageIndex}]`;
    throw new RequestError("invalid_parameter", message, { field, cause: error });
  }
}

/** @throws {RequestError} "invalid_parameter" for an id outside the vocabulary, named by its place */
export function checkTokenIds(
  ids: readonly number[],
  { vocabSize, field }: { readonly vocabSize: number; readonly field: string },
): Int32Array {
  const wrong = ids.findIndex((id) => id >= vocabSize);
  if (wrong >= 0) {
    throw new RequestError(
      "invalid_parameter",
      `token ${wrong}: expected an id below ${vocabSize}, found ${ids[wrong]}`,
      { field: `${field}[${wrong}]`, metadata: { limit: `${vocabSize - 1}` } },
    );
  }
  return Int32Array.from(ids);
}

function requirePromptBytes(texts: readonly string[]): void {
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes > promptBytesMax) {
    throw new RequestError(
      "invalid_parameter",
      `input: expected at most ${promptBytesMax} bytes of text, found ${bytes}`,
      { field: "input", metadata: { limit: `${promptBytesMax}`, found: `${bytes}` } },
    );
  }
}

function toRole(role: string, index: number): "system" | "user" | "assistant" {
  if (role === "system" || role === "user" || role === "assistant") return role;
  const field = `chat.messages[${index}].role`;
  const found = JSON.stringify(role);
  const detail = `${field}: expected system, user or assistant, found ${found}`;
  throw new RequestError("invalid_parameter", detail, { field });
}
