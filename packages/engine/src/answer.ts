// One sequence's answer: sampled tokens in, text out, until something ends it.
import { EngineError } from "./engine-error.ts";
import { StopMatcher } from "./stop-matcher.ts";
import type { StopParams } from "./stop-params.ts";

/** Turns one sequence's token ids into text, whole characters only. The tokenizer provides it. */
export interface StreamDecoder {
  /** The text that this token completes, perhaps empty. */
  push(tokenId: number): string;
  /** What is left of an incomplete character, when no more tokens will come. */
  flush(): string;
}

/**
 * Why a sequence ended: the model ended it; a stop string appeared; or it reached maxTokens or the
 * context's end.
 */
export type FinishReason = "end-of-sequence" | "stop" | "length";

/** What one token did to the answer. */
export interface AnswerStep {
  /** Text to show; may be empty. Never part of a stop string, whole or begun. */
  readonly text: string;
  /** Set exactly for the last token. */
  readonly finish: { readonly reason: FinishReason; readonly stopString?: string } | undefined;
}

/** What ends an answer. */
export interface AnswerOptions {
  readonly stop: StopParams;
  readonly eosTokenIds: readonly number[];
  readonly decoder: StreamDecoder;
}

/** Decodes tokens and decides after each whether it was the last. */
export class Answer {
  readonly #options: AnswerOptions;
  readonly #matcher: StopMatcher;
  #numTokens = 0;

  constructor(options: AnswerOptions) {
    this.#options = options;
    this.#matcher = new StopMatcher(options.stop.strings);
  }

  /** Tokens taken so far, an end-of-sequence token included. */
  get numTokens(): number {
    return this.#numTokens;
  }

  /**
   * Takes tokens that were sampled, and their text shown, before.
   *
   * @throws {EngineError} "invalid-argument" if they end the answer
   */
  resume(tokenIds: Int32Array): void {
    for (const tokenId of tokenIds) {
      if (this.push(tokenId).finish === undefined) continue;
      throw new EngineError(
        "invalid-argument",
        `answerStart: expected an answer that goes on, found one that ends at its token ` +
          `${this.#numTokens} of ${tokenIds.length}`,
      );
    }
  }

  /** Takes the next token; after a finish there is no next. */
  push(tokenId: number): AnswerStep {
    const { stop, eosTokenIds, decoder } = this.#options;
    this.#numTokens += 1;
    if (!stop.ignoreEos && eosTokenIds.includes(tokenId)) {
      return this.#end("", "end-of-sequence");
    }
    const { text, stopString } = this.#matcher.push(decoder.push(tokenId));
    if (stopString !== undefined) return { text, finish: { reason: "stop", stopString } };
    if (this.#numTokens >= stop.maxTokens) return this.#end(text, "length");
    return { text, finish: undefined };
  }

  /** Lets go of what decoder and matcher hold back; even that may complete a stop string. */
  #end(before: string, reason: FinishReason): AnswerStep {
    const { text, stopString } = this.#matcher.push(this.#options.decoder.flush());
    if (stopString !== undefined) {
      return { text: before + text, finish: { reason: "stop", stopString } };
    }
    return { text: before + text + this.#matcher.flush(), finish: { reason } };
  }
}
