// How likely a sequence's guesses are right, by how they did so far.
import type { Guess } from "./prompt-lookup.ts";

/** What is thought of guesses of which nothing is known. */
const oddsAtFirst = 0.5;
/** Of the odds, how much the latest guess decides. */
const latestShare = 1 / 8;

/**
 * The odds that a guessed token is right if all before it were, kept apart by the length of the run
 * that the guess goes by: after four tokens one knows more than after two. A guess need not have
 * been checked in a step to be judged: what is said in the end tells, and costs nothing. No clock
 * and no chance.
 */
export class GuessOdds {
  readonly #byRunLength = new Map<number, { odds: number; numJudged: number }>();

  of({ runLength }: Guess): number {
    return this.#byRunLength.get(runLength)?.odds ?? oddsAtFirst;
  }

  /** @param said what came where the guess was: its tokens up to the first that was wrong, or more */
  judge({ tokenIds, runLength }: Guess, said: readonly number[]): void {
    const record = this.#byRunLength.get(runLength) ?? { odds: oddsAtFirst, numJudged: 0 };
    this.#byRunLength.set(runLength, record);
    for (let i = 0; i < Math.min(tokenIds.length, said.length); i++) {
      const isRight = tokenIds[i] === said[i];
      record.numJudged += 1;
      const share = Math.max(latestShare, 1 / (record.numJudged + 1));
      record.odds += share * (Number(isRight) - record.odds);
      if (!isRight) break;
    }
  }
}
