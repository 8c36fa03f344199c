// From a request's input to the token ids the model sees.
import { promptBytesMax } from "@octet/core";
import type { ChatMessage, ChatRequest, GenerateRequest, TokenizeRequest } from "@octet/protocol";
import type { Tokenizer } from "@octet/tokenizer";
import { noTools, type RequestTools } from "./constraint-request.ts";
import { encodeConversation } from "./conversation-prompt.ts";
import { RequestError } from "./request-error.ts";

/** What the model sees of a request. */
export interface Prompt {
  readonly tokenIds: Int32Array;
  /** Whether the answer goes on from a text, so that the space before its first word is part of it. */
  readonly continuesText: boolean;
  /** Tokens that were cut away, as the request asked. Default 0. */
  readonly truncatedTokens?: number;
}

/** How long a request lets its prompt be. */
export interface PromptBound {
  /** As the request has it: 0 is what fits, undefined lets it be as long as it is. */
  readonly truncateTo: number | undefined;
  /** Longest answer, as the request has it. */
  readonly maxTokens: number | undefined;
}

/**
 * Text gets a beginning-of-sequence token, unless told otherwise; token ids are used as they are; a
 * conversation goes through the model's template.
 *
 * @throws {RequestError} for an input that is missing, too large, out of range or refused by the
 *   template
 * @throws {TokenizerError} for a conversation where there is no template that can be used
 */
export function toPrompt(
  input: GenerateRequest["input"] | TokenizeRequest["input"],
  tokenizer: Tokenizer,
  options: { readonly addBos: boolean; readonly vocabSize: number },
): Prompt {
  const { addBos, vocabSize } = options;
  switch (input.case) {
    case "text":
      requirePromptBytes([input.value]);
      return { tokenIds: tokenizer.encode(input.value, { addBos }), continuesText: true };
    case "tokens": {
      const tokenIds = checkTokenIds(input.value.ids, { vocabSize, field: "tokens.ids" });
      return { tokenIds, continuesText: true };
    }
    case "chat":
      return toChatPrompt(input.value.messages, tokenizer, "chat.messages");
    case undefined:
      throw new RequestError(
        "invalid_parameter",
        "input: expected text, tokens or chat; found none",
        { field: "input" },
      );
  }
}

/** What a request of either method says of its prompt's length. */
export function boundOf({
  truncatePromptTokens,
  stop,
}: Pick<GenerateRequest | ChatRequest, "truncatePromptTokens" | "stop">): PromptBound {
  return { truncateTo: truncatePromptTokens, maxTokens: stop?.maxTokens };
}

/**
 * A prompt made as short as its request says: its beginning-of-sequence token and its last tokens stay.
 *
 * @throws {RequestError} for what fits beside an answer that has no bound, or leaves no room
 */
export function truncatePrompt(
  prompt: Prompt,
  { truncateTo, maxTokens }: PromptBound,
  model: { readonly tokenizer: Tokenizer; readonly maxPositions: number },
): Prompt {
  if (truncateTo === undefined) return prompt;
  const { tokenIds } = prompt;
  const length = truncateTo > 0 ? truncateTo : roomBeside(maxTokens, model.maxPositions);
  if (tokenIds.length <= length) return prompt;
  const cut = tokenIds.slice(tokenIds.length - length);
  if (tokenIds[0] === model.tokenizer.bosTokenId) cut[0] = tokenIds[0]!;
  return { ...prompt, tokenIds: cut, truncatedTokens: tokenIds.length - length };
}

function roomBeside(maxTokens: number | undefined, maxPositions: number): number {
  if (maxTokens !== undefined && maxTokens < maxPositions) {
    return maxPositions - Math.max(1, maxTokens);
  }
  const field = "truncate_prompt_tokens";
  const found = maxTokens ?? "none";
  const detail = `${field}: expected max_tokens below ${maxPositions} beside it, found ${found}`;
  throw new RequestError("invalid_parameter", detail, { field });
}

/** @param field where the messages stand in the request. @throws as {@link toPrompt} */
export function toChatPrompt(
  messages: readonly ChatMessage[],
  tokenizer: Tokenizer,
  field: string,
  tools: RequestTools = noTools,
): Prompt {
  const said = messages.flatMap(({ content, toolCalls }) => [
    content,
    ...toolCalls.map((call) => call.argumentsJson),
  ]);
  const listed = tools.tools.flatMap(({ name, description = "", parametersJsonSchema = "" }) => [
    ...[name, description, parametersJsonSchema],
  ]);
  requirePromptBytes([...said, ...listed]);
  return encodeConversation(messages, tokenizer, { field, ...tools });
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
