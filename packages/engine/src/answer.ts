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
 * Why a sequence ended: the model ended it; a stop string or token appeared; or it reached maxTokens or the
 * context's end.
 */
export type FinishReason = "end-of-sequence" | "stop" | "length";

/** What one token did to the answer. */
export interface AnswerStep {
  /** Text to show; may be empty. Part of a stop string only if that was to be included. */
  readonly text: string;
  /** Set exactly for the last token. */
  readonly finish: AnswerFinish | undefined;
}

/** How an answer ended; if by a "stop", what stopped it. */
export interface AnswerFinish {
  readonly reason: FinishReason;
  readonly stopString?: string;
  readonly stopTokenId?: number;
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
      return this.#end("", { reason: "end-of-sequence" });
    }
    if (stop.tokenIds.includes(tokenId)) {
      return this.#end("", { reason: "stop", stopTokenId: tokenId });
    }
    const step = this.#scan(decoder.push(tokenId));
    if (step.finish === undefined && this.#numTokens >= stop.maxTokens) {
      return this.#end(step.text, { reason: "length" });
    }
    return step;
  }

  /** Ends it although no token did: nothing may follow. */
  complete(): AnswerStep {
    return this.#end("", { reason: "end-of-sequence" });
  }

  #scan(piece: string): AnswerStep {
    const { includeStopString, minTokens } = this.#options.stop;
    const { text, stopString } = this.#matcher.push(piece, this.#numTokens >= minTokens);
    if (stopString === undefined) return { text, finish: undefined };
    const shown = includeStopString ? text + stopString : text;
    return { text: shown, finish: { reason: "stop", stopString } };
  }

  /** Lets go of what decoder and matcher hold back; even that may complete a stop string. */
  #end(before: string, finish: AnswerFinish): AnswerStep {
    const { text, finish: stopped } = this.#scan(this.#options.decoder.flush());
    if (stopped !== undefined) return { text: before + text, finish: stopped };
    return { text: before + text + this.#matcher.flush(), finish };
  }
}
