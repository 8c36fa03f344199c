// The two shapes an answer may have: a chat's message, or text that goes on.
import type { TokenLogprobs, ToolCall } from "@octet/protocol";
import { joinLogprobs, toChatLogprobs, toCompletionLogprobs } from "./logprobs.ts";

/** How one answer ended. */
export interface AnswerEnd {
  readonly finishReason: "stop" | "length" | "tool_calls" | "error";
  /** The stop string or token that appeared. */
  readonly stopReason: string | number | null;
}

/** A piece of an answer, or all of it. */
export interface AnswerText {
  readonly text: string;
  /** Only if they were asked for. */
  readonly tokenIds?: readonly number[];
  readonly promptTokenIds?: readonly number[];
  readonly logprobs?: readonly TokenLogprobs[];
  /** Each whole; only a chat has any. */
  readonly toolCalls?: readonly ToolCall[];
  /** Calls of the answer before them. */
  readonly toolCallOffset?: number;
  /** Characters of the answer before it. */
  readonly textOffset?: number;
  /** Of an echoed prompt: its first token's text, of which no log-probability is known. */
  readonly firstToken?: string;
}

/** What is known of a prompt's tokens. */
export interface PromptExtras {
  readonly prompt_logprobs?: readonly unknown[];
}

/** Members of a choice that has ended, beside those that all have. */
export interface AnswerExtras extends PromptExtras {
  readonly routed_experts?: string;
}

/** How choices look. */
export interface AnswerFormat {
  /** The parameter that the prompt comes by. */
  readonly promptParam: "messages" | "prompt";
  /** Where vLLM's clients look for the prompt's log-probabilities. */
  readonly promptLogprobsAt: "answer" | "choice";
  readonly wholeObject: string;
  readonly chunkObject: string;
  /** A finished choice. */
  whole(index: number, parts: readonly AnswerText[], end: AnswerEnd): object;
  /** The first chunk's choice: it has no text yet. */
  opening(index: number): object;
  delta(index: number, text: AnswerText): object;
  /** The last chunk's choice: it has no text any more. */
  ending(index: number, end: AnswerEnd): object;
}

/** chat.completion */
export const chatFormat: AnswerFormat = {
  promptParam: "messages",
  promptLogprobsAt: "answer",
  wholeObject: "chat.completion",
  chunkObject: "chat.completion.chunk",
  whole: (index, parts, end) => ({
    index,
    message: { role: "assistant", ...contentOf(parts), refusal: null },
    logprobs: parts.some(hasLogprobs)
      ? toChatLogprobs(parts.flatMap(({ logprobs = [] }) => logprobs))
      : null,
    ...endMembers(end),
    ...tokenMembersOf(parts),
  }),
  opening: (index) => ({
    index,
    delta: { role: "assistant", content: "" },
    logprobs: null,
    finish_reason: null,
  }),
  delta: (index, answer) => ({
    index,
    delta: {
      ...(answer.text === "" && hasToolCalls(answer) ? {} : { content: answer.text }),
      ...(hasToolCalls(answer) ? { tool_calls: toToolCalls([answer], true) } : {}),
    },
    logprobs: answer.logprobs === undefined ? null : toChatLogprobs(answer.logprobs),
    finish_reason: null,
    ...tokenMembers(answer),
  }),
  ending: (index, end) => ({ index, delta: {}, logprobs: null, ...endMembers(end) }),
};

/** text_completion; its chunks have the same name. */
export const completionFormat: AnswerFormat = {
  promptParam: "prompt",
  promptLogprobsAt: "choice",
  wholeObject: "text_completion",
  chunkObject: "text_completion",
  whole: (index, parts, end) => ({
    index,
    text: textOf(parts),
    logprobs: parts.some(hasLogprobs) ? joinLogprobs(parts.map(toPartLogprobs)) : null,
    ...endMembers(end),
    ...tokenMembersOf(parts),
  }),
  opening: (index) => ({ index, text: "", logprobs: null, finish_reason: null }),
  delta: (index, answer) => ({
    index,
    text: answer.text,
    logprobs: hasLogprobs(answer) ? toPartLogprobs(answer) : null,
    finish_reason: null,
    ...tokenMembers(answer),
  }),
  ending: (index, end) => ({ index, text: "", logprobs: null, ...endMembers(end) }),
};

/** A message that only calls has no content, as clients of both kinds expect. */
function contentOf(parts: readonly AnswerText[]) {
  const text = textOf(parts);
  if (!parts.some(hasToolCalls)) return { content: text };
  return { content: text === "" ? null : text, tool_calls: toToolCalls(parts, false) };
}

/** @param isDelta whether each says which of the message's calls it is */
function toToolCalls(parts: readonly AnswerText[], isDelta: boolean): object[] {
  return parts.flatMap(({ toolCalls = [], toolCallOffset = 0 }) =>
    toolCalls.map(({ id, name, argumentsJson }, at) => ({
      ...(isDelta ? { index: toolCallOffset + at } : {}),
      id,
      type: "function",
      function: { name, arguments: argumentsJson },
    })),
  );
}

function hasToolCalls({ toolCalls }: AnswerText): boolean {
  return toolCalls !== undefined && toolCalls.length > 0;
}

function textOf(parts: readonly AnswerText[]): string {
  return parts.map(({ text }) => text).join("");
}

function hasLogprobs({ logprobs }: AnswerText): boolean {
  return logprobs !== undefined;
}

function toPartLogprobs({ logprobs = [], textOffset = 0, firstToken }: AnswerText) {
  return toCompletionLogprobs(logprobs, textOffset, firstToken);
}

function endMembers({ finishReason, stopReason }: AnswerEnd) {
  return { finish_reason: finishReason, stop_reason: stopReason };
}

function tokenMembersOf(parts: readonly AnswerText[]) {
  const ids = parts.flatMap(({ tokenIds }) => (tokenIds === undefined ? [] : [tokenIds]));
  const promptTokenIds = parts.find((part) => part.promptTokenIds !== undefined)?.promptTokenIds;
  // Asked for, the prompt's are there, whether or not the answer has a token.
  return promptTokenIds === undefined
    ? {}
    : tokenMembers({ text: "", tokenIds: ids.flat(), promptTokenIds });
}

function tokenMembers({ tokenIds, promptTokenIds }: AnswerText) {
  return {
    ...(tokenIds === undefined ? {} : { token_ids: tokenIds }),
    ...(promptTokenIds === undefined ? {} : { prompt_token_ids: promptTokenIds }),
  };
}
