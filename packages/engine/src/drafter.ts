// One sequence's guesses at its next tokens, from step to step.
import { GuessOdds } from "./guess-odds.ts";
import type { DraftOffer } from "./plan-drafts.ts";
import { type Guess, PromptLookup } from "./prompt-lookup.ts";

/** Tokens that are said before a guess is made again after one that made a step fail. */
const restTokens = 32;

/** How many guessed tokens were checked, and how many of them were what came. */
export interface DraftCounts {
  readonly numDrafts: number;
  readonly numAccepted: number;
}

/** Guesses by what a sequence said before, and knows what its guesses are worth. */
export class Drafter {
  readonly #lookup = new PromptLookup();
  readonly #odds = new GuessOdds();
  readonly #lengthMax: number;
  #guess: Guess | undefined;
  #restTokens = 0;

  /** @param lengthMax most tokens of a guess */
  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax;
  }

  /** The latest guess, of which the first tokens may be checked. */
  get tokenIds(): readonly number[] {
    return this.#guess?.tokenIds ?? [];
  }

  /**
   * Guesses anew.
   *
   * @param known the sequence's tokens
   * @param countMax most tokens to offer; may be negative
   */
  draft(known: readonly number[], countMax: number): DraftOffer {
    this.#guess = this.#lookup.guess(known, this.#lengthMax);
    if (this.#guess === undefined || this.#restTokens > 0) return { numTokens: 0, odds: 0 };
    const numTokens = Math.max(0, Math.min(countMax, this.#guess.tokenIds.length));
    return { numTokens, odds: this.#odds.of(this.#guess) };
  }

  /** What was said where the latest guess was, if there was one. */
  observe(said: readonly number[]): void {
    if (this.#guess !== undefined) this.#odds.judge(this.#guess, said);
    this.#guess = undefined;
    this.#restTokens = Math.max(0, this.#restTokens - said.length);
  }

  /** A step with guesses failed, perhaps because of them. */
  rest(): void {
    this.#restTokens = restTokens;
  }
}
