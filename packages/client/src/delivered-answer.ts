// Joins a stream that began again to the one that broke, so that nothing is lost and nothing twice.
import type { GenerateStarted, TokenLogprobs } from "@octet/protocol";

/** What a delta of either method carries. */
export interface DeltaParts {
  readonly text: string;
  readonly tokenIds: number[];
  readonly logprobs: TokenLogprobs[];
}

/** How a resent answer differs from what was delivered; text and ids are never part of it. */
export class ResentDifferently extends Error {
  override readonly name = "ResentDifferently";
}

/**
 * What the user has of one answer. With the same seed the coordinator makes the same tokens, so a
 * resent stream begins with what was delivered: that part is compared and left out.
 */
export class DeliveredAnswer {
  #started: GenerateStarted | undefined;
  #text = "";
  readonly #tokenIds: number[] = [];
  /** How much of the present stream has come. */
  #textCame = 0;
  #tokensCame = 0;
  /** Logprobs of so many tokens were delivered, and came in the present stream. */
  readonly #scores = { answer: { had: 0, came: 0 }, prompt: { had: 0, came: 0 } };

  /** Whether the user has a part of the answer itself. */
  get hasDeltas(): boolean {
    return this.#text !== "" || this.#tokenIds.length > 0 || this.#scores.answer.had > 0;
  }

  /** The seed in use, once the coordinator has said it. */
  get seed(): bigint | undefined {
    return this.#started?.seed;
  }

  /** The stream begins again. */
  restart(): void {
    this.#textCame = 0;
    this.#tokensCame = 0;
    this.#scores.answer.came = 0;
    this.#scores.prompt.came = 0;
  }

  /** @returns whether this is news to the user */
  start(started: GenerateStarted): boolean {
    const before = this.#started;
    this.#started = started;
    if (before === undefined) return true;
    if (before.seed !== started.seed) throw new ResentDifferently("another seed is in use");
    if (before.promptTokens !== started.promptTokens) {
      throw new ResentDifferently(
        `the prompt has ${started.promptTokens} tokens, not ${before.promptTokens}`,
      );
    }
    return false;
  }

  /** @returns the part that the user does not have; undefined if that is nothing */
  add<Delta extends DeltaParts>(delta: Delta): Delta | undefined {
    const behind = !this.#isCaughtUp;
    const text = this.#newText(delta.text);
    const tokenIds = this.#newTokenIds(delta.tokenIds);
    const logprobs = this.newScores("answer", delta.logprobs);
    if (behind && text === "" && tokenIds.length + logprobs.length === 0) return undefined;
    return { ...delta, text, tokenIds, logprobs };
  }

  /** @returns the logprobs that the user does not have */
  newScores(of: "answer" | "prompt", scores: readonly TokenLogprobs[]): TokenLogprobs[] {
    const count = this.#scores[of];
    const old = Math.min(scores.length, count.had - count.came);
    count.came += scores.length;
    count.had = Math.max(count.had, count.came);
    return scores.slice(old);
  }

  /** The answer ended: all that was delivered must have come again. */
  finish(): void {
    if (!this.#isCaughtUp) throw new ResentDifferently("the answer ends before its broken end");
  }

  get #isCaughtUp(): boolean {
    const { answer, prompt } = this.#scores;
    return (
      this.#textCame >= this.#text.length &&
      this.#tokensCame >= this.#tokenIds.length &&
      answer.came >= answer.had &&
      prompt.came >= prompt.had
    );
  }

  #newText(text: string): string {
    const old = Math.min(text.length, this.#text.length - this.#textCame);
    if (!this.#text.startsWith(text.slice(0, old), this.#textCame)) {
      throw new ResentDifferently("other text where some was delivered");
    }
    this.#textCame += text.length;
    this.#text += text.slice(old);
    return text.slice(old);
  }

  #newTokenIds(ids: readonly number[]): number[] {
    const old = Math.min(ids.length, this.#tokenIds.length - this.#tokensCame);
    for (let i = 0; i < old; i++) {
      if (this.#tokenIds[this.#tokensCame + i] !== ids[i]) {
        throw new ResentDifferently("other tokens where some were delivered");
      }
    }
    this.#tokensCame += ids.length;
    const news = ids.slice(old);
    for (const id of news) this.#tokenIds.push(id);
    return news;
  }
}
