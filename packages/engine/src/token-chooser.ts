// How one sequence's tokens are chosen: what it asked for, and what it has said so far.
import { type AdjustScratch, adjustLogits, hasPenalties } from "./adjust-logits.ts";
import { BadWords } from "./bad-words.ts";
import { EngineError } from "./engine-error.ts";
import { logprobsOf, type TokenLogprobs } from "./logprobs.ts";
import { requireFinite, sampleToken, sampleTopToken, topLogitsNeeded } from "./sampler.ts";
import type { SamplingParams } from "./sampling-params.ts";
import type { SequenceLogits } from "./step-rows.ts";
import { TokenCounts } from "./token-counts.ts";

/** What decides a sequence's tokens, besides the model. */
export interface ChooserOptions {
  readonly sampling: SamplingParams;
  /** The prompt, and what is there of the answer already. */
  readonly tokenIds: Int32Array;
  /** How many of them are the prompt's. */
  readonly answerStart: number;
  /**
   * How many of the likeliest tokens to list beside each, or which tokens; undefined if logprobs are
   * not wanted.
   */
  readonly topLogprobs: number | readonly number[] | undefined;
  /** Whether a mask comes with each choice. */
  readonly isMasked: boolean;
  /** Shared by all that choose one after another. */
  readonly scratch: AdjustScratch;
  /** Tokens that may not come before the answer has so many others. */
  readonly endings: { readonly tokenIds: ReadonlySet<number>; readonly minTokens: number };
}

/** The next token. */
export interface ChosenToken {
  readonly tokenId: number;
  readonly logprobs: TokenLogprobs | undefined;
}

const none: ReadonlySet<number> = new Set();

/**
 * Chooses each next token as a function of its logits, the parameters, its position and the tokens
 * before it: whoever resumes the sequence with the same tokens goes on with the same.
 */
export class TokenChooser {
  readonly #options: ChooserOptions;
  readonly #counts: TokenCounts | undefined;
  readonly #badWords: BadWords | undefined;
  /** Of the answer. */
  #numTokens: number;

  /** @throws {EngineError} "invalid-argument" if every allowed token would end the answer early */
  constructor(options: ChooserOptions) {
    const { sampling, tokenIds, answerStart, endings } = options;
    this.#options = options;
    this.#numTokens = tokenIds.length - answerStart;
    const { minTokens } = endings;
    if (minTokens > 0 && sampling.allowedTokenIds?.every((id) => endings.tokenIds.has(id))) {
      const detail =
        "allowedTokenIds: expected one that does not end the answer, " +
        `since minTokens is ${minTokens}; found none`;
      throw new EngineError("invalid-argument", detail, { field: "sampling.allowedTokenIds" });
    }
    this.#counts = hasPenalties(sampling) ? new TokenCounts(tokenIds, answerStart) : undefined;
    const { badWords } = sampling;
    if (badWords.length > 0) {
      this.#badWords = new BadWords(badWords, tokenIds.subarray(answerStart));
    }
  }

  /** How many of the largest logits the next choice needs; undefined needs them all. */
  get topLogits(): number | undefined {
    const { sampling, scratch, topLogprobs, isMasked } = this.#options;
    if (topLogprobs !== undefined || isMasked) return undefined;
    if (this.#barred.size > 0) return undefined;
    return topLogitsNeeded(sampling, scratch.logits.length);
  }

  /**
   * The next token, which counts from now on.
   *
   * @param logits of one row, at least as many as {@link topLogits} says
   * @param mask of a constraint: which tokens may come
   * @throws {EngineError} "internal" if a logit is not finite
   */
  choose(logits: SequenceLogits, position: number, mask?: Uint32Array): ChosenToken {
    const { sampling, topLogprobs } = this.#options;
    const tokenId =
      logits.kind === "top"
        ? sampleTopToken(logits.top, sampling, position)
        : this.#sample(logits.logits, position, mask);
    this.#numTokens += 1;
    this.#counts?.push(tokenId);
    this.#badWords?.push(tokenId);
    const isAsked = topLogprobs !== undefined && logits.kind === "all";
    const logprobs = isAsked ? logprobsOf(logits.logits, tokenId, topLogprobs) : undefined;
    return { tokenId, logprobs };
  }

  get #barred(): ReadonlySet<number> {
    const { tokenIds, minTokens } = this.#options.endings;
    const endings = this.#numTokens < minTokens ? tokenIds : none;
    return this.#badWords === undefined ? endings : endings.union(this.#badWords.barred());
  }

  #sample(raw: Float32Array, position: number, mask: Uint32Array | undefined): number {
    const { sampling: params, scratch } = this.#options;
    const adjustment = { params, counts: this.#counts, barred: this.#barred, mask };
    const { logits, tokenIds } = adjustLogits(raw, adjustment, scratch);
    // What was left out or cut to what is finite would hide it from the sampler.
    if (logits !== raw) requireFinite(raw);
    const chosen = sampleToken(logits, params, position);
    return tokenIds === undefined ? chosen : tokenIds[chosen]!;
  }
}
