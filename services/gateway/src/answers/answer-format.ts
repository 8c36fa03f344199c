// The two shapes an answer may have: a chat's message, or text that goes on.

/** How one answer ended. */
export interface AnswerEnd {
  readonly finishReason: "stop" | "length" | "error";
  /** The stop string or token that appeared. */
  readonly stopReason: string | number | null;
}

/** A piece of an answer, or all of it. */
export interface AnswerText {
  readonly text: string;
  /** Only if they were asked for. */
  readonly tokenIds?: readonly number[];
  readonly promptTokenIds?: readonly number[];
}

/** How choices look. */
export interface AnswerFormat {
  readonly wholeObject: string;
  readonly chunkObject: string;
  /** A finished choice. */
  whole(index: number, text: AnswerText, end: AnswerEnd): object;
  /** The first chunk's choice: it has no text yet. */
  opening(index: number): object;
  delta(index: number, text: AnswerText): object;
  /** The last chunk's choice: it has no text any more. */
  ending(index: number, end: AnswerEnd): object;
}

/** chat.completion */
export const chatFormat: AnswerFormat = {
  wholeObject: "chat.completion",
  chunkObject: "chat.completion.chunk",
  whole: (index, answer, end) => ({
    index,
    message: { role: "assistant", content: answer.text, refusal: null },
    logprobs: null,
    ...endMembers(end),
    ...tokenMembers(answer),
  }),
  opening: (index) => ({
    index,
    delta: { role: "assistant", content: "" },
    logprobs: null,
    finish_reason: null,
  }),
  delta: (index, answer) => ({
    index,
    delta: { content: answer.text },
    logprobs: null,
    finish_reason: null,
    ...tokenMembers(answer),
  }),
  ending: (index, end) => ({ index, delta: {}, logprobs: null, ...endMembers(end) }),
};

/** text_completion; its chunks have the same name. */
export const completionFormat: AnswerFormat = {
  wholeObject: "text_completion",
  chunkObject: "text_completion",
  whole: (index, answer, end) => ({
    index,
    text: answer.text,
    logprobs: null,
    ...endMembers(end),
    ...tokenMembers(answer),
  }),
  opening: (index) => ({ index, text: "", logprobs: null, finish_reason: null }),
  delta: (index, answer) => ({
    index,
    text: answer.text,
    logprobs: null,
    finish_reason: null,
    ...tokenMembers(answer),
  }),
  ending: (index, end) => ({ index, text: "", logprobs: null, ...endMembers(end) }),
};

function endMembers({ finishReason, stopReason }: AnswerEnd) {
  return { finish_reason: finishReason, stop_reason: stopReason };
}

function tokenMembers({ tokenIds, promptTokenIds }: AnswerText) {
  return {
    ...(tokenIds === undefined ? {} : { token_ids: tokenIds }),
    ...(promptTokenIds === undefined ? {} : { prompt_token_ids: promptTokenIds }),
  };
}
