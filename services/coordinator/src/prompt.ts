// From a request's input to the token ids the model sees.
import { promptBytesMax } from "@octet/core";
import type { GenerateRequest, TokenizeRequest } from "@octet/protocol";
import type { Tokenizer } from "@octet/tokenizer";
import { RequestError } from "./request-error.ts";

/** Most messages one conversation may have. */
const chatMessagesMax = 4096;

/**
 * The prompt's token ids. Text gets a beginning-of-sequence token, unless told otherwise; token
 * ids are used as they are; a conversation goes through the model's template.
 *
 * @throws {RequestError} "invalid-request" for an input that is missing, too large or out of range
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
      return checkTokenIds(input.value.ids, options.vocabSize);
    case "chat": {
      const { messages } = input.value;
      if (messages.length === 0 || messages.length > chatMessagesMax) {
        throw new RequestError(
          "invalid-request",
          `chat.messages: expected 1 to ${chatMessagesMax} messages, found ${messages.length}`,
        );
      }
      requirePromptBytes(messages.map((message) => message.content));
      return tokenizer.encodeChat(
        messages.map(({ role, content }, index) => ({ role: toRole(role, index), content })),
      );
    }
    case undefined:
      throw new RequestError("invalid-request", "input: expected text, tokens or chat; found none");
  }
}

/** @throws {RequestError} "invalid-request" for an id outside the vocabulary, named by its place */
export function checkTokenIds(ids: readonly number[], vocabSize: number): Int32Array {
  const wrong = ids.findIndex((id) => id >= vocabSize);
  if (wrong >= 0) {
    throw new RequestError(
      "invalid-request",
      `token ${wrong}: expected an id below ${vocabSize}, found ${ids[wrong]}`,
    );
  }
  return Int32Array.from(ids);
}

function requirePromptBytes(texts: readonly string[]): void {
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes > promptBytesMax) {
    throw new RequestError(
      "invalid-request",
      `input: expected at most ${promptBytesMax} bytes of text, found ${bytes}`,
    );
  }
}

function toRole(role: string, index: number): "system" | "user" | "assistant" {
  if (role === "system" || role === "user" || role === "assistant") return role;
  throw new RequestError(
    "invalid-request",
    `chat.messages[${index}].role: expected system, user or assistant, found ${JSON.stringify(role)}`,
  );
}
