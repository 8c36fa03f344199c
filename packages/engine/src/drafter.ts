// One sequence's guesses at its next tokens, from step to step.
import { type DraftCounts, DraftPacer } from "./draft-pacer.ts";
import { PromptLookup } from "./prompt-lookup.ts";

/** Guesses by what a sequence said before, as many tokens as its guesses have lately been worth. */
export class Drafter {
  readonly #lookup = new PromptLookup();
  readonly #pacer: DraftPacer;
  #tokenIds: readonly number[] = [];

  /** @param lengthMax most tokens of a guess */
  constructor(lengthMax: number) {
    this.#pacer = new DraftPacer(lengthMax);
  }

  /** The latest guess, of which the first tokens may be checked. */
  get tokenIds(): readonly number[] {
    return this.#tokenIds;
  }

  /**
   * Guesses anew.
   *
   * @param known the sequence's tokens
   * @param countMax most tokens to guess
   * @returns how many were
   */
  draft(known: readonly number[], countMax: number): number {
    const count = Math.min(countMax, this.#pacer.length);
    this.#tokenIds = count > 0 ? this.#lookup.draft(known, count) : [];
    return this.#tokenIds.length;
  }

  /** After each step that gave the sequence a token. */
  observe(counts: DraftCounts): void {
    this.#pacer.observe(counts);
  }

  /** The step of a guess failed, perhaps because of it. */
  failed(): void {
    this.#pacer.restLong();
  }
}
