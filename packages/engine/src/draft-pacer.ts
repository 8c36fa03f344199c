// How far ahead to guess, by how well guesses did: nothing is known of a text but that.

/** How many guessed tokens were checked, and how many of them were what came. */
export interface DraftCounts {
  readonly numDrafts: number;
  readonly numAccepted: number;
}

/** Longest rest, in steps, of a sequence whose guesses are wrong again and again. */
export const restStepsMax = 32;
/** Tokens of the first guess. */
const lengthAtFirst = 4;

/**
 * Doubles the next guess when one was all right, cuts it to little more than what was right of it,
 * and after one that was all wrong rests for a while, which doubles each time. No clock and no
 * chance: the same outcomes give the same lengths.
 */
export class DraftPacer {
  readonly #lengthMax: number;
  #length: number;
  /** Steps to go without a guess, and how many they will be the next time. */
  #restSteps = 0;
  #nextRestSteps = 1;

  /** @param lengthMax most tokens of a guess, at least 1 */
  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax;
    this.#length = Math.min(lengthAtFirst, lengthMax);
  }

  /** Tokens that the next guess should have at most; 0 during a rest. */
  get length(): number {
    return this.#restSteps > 0 ? 0 : this.#length;
  }

  /** After each step that gave the sequence a token, with or without guesses. */
  observe({ numDrafts, numAccepted }: DraftCounts): void {
    if (numDrafts === 0) {
      this.#restSteps = Math.max(0, this.#restSteps - 1);
      return;
    }
    if (numAccepted === 0) {
      this.#length = Math.max(1, this.#length >> 1);
      this.#restSteps = this.#nextRestSteps;
      this.#nextRestSteps = Math.min(restStepsMax, 2 * this.#nextRestSteps);
      return;
    }
    this.#nextRestSteps = 1;
    const isRight = numAccepted === numDrafts;
    this.#length = Math.min(this.#lengthMax, isRight ? 2 * this.#length : numAccepted + 1);
  }

  /** A step with a guess failed, perhaps because of it: the longest rest. */
  restLong(): void {
    this.#restSteps = restStepsMax;
  }
}
