// Joins an answer whose stream began again to what had come, so that nothing is lost and nothing twice.
import type { GenerateFinished, TokenLogprobs, ToolCall } from "@octet/protocol";
import { ResentDifferently, ResentList } from "./resent-list.ts";

/** What a delta of either method carries. */
export interface DeltaParts {
  /** Which of the answers it belongs to. */
  readonly index: number;
  readonly text: string;
  readonly tokenIds: number[];
  readonly logprobs: TokenLogprobs[];
  /** Chat's alone, each whole. */
  readonly toolCalls?: ToolCall[];
}

/** A list of what the model thought of tokens: the same bits are promised, so they are compared. */
export function resentLogprobs(): ResentList<TokenLogprobs> {
  return new ResentList(
    "log-probabilities",
    ({ chosen }) => `${chosen!.tokenId} ${chosen!.logprob}`,
  );
}

/**
 * What the user has of one answer. With the same seed the coordinator makes the same tokens, so a
 * resent stream begins with what was delivered: that part is compared and left out.
 */
export class DeliveredAnswer {
  #text = "";
  /** How much of the text has come in the present stream. */
  #textCame = 0;
  readonly #tokenIds = new ResentList<number>("tokens", (id) => id);
  readonly #logprobs = resentLogprobs();
  readonly #toolCalls = new ResentList<ToolCall>("calls of tools", ({ id, name, argumentsJson }) =>
    JSON.stringify([id, name, argumentsJson]),
  );
  readonly #lists = [this.#tokenIds, this.#logprobs, this.#toolCalls];
  #finished: GenerateFinished | undefined;

  /** Whether the user has nothing of it. */
  get isEmpty(): boolean {
    return this.#text === "" && this.#lists.every((list) => list.isEmpty) && !this.isFinished;
  }

  /** Whether the user was told of its end. */
  get isFinished(): boolean {
    return this.#finished !== undefined;
  }

  /** The stream begins again. */
  restart(): void {
    this.#textCame = 0;
    for (const list of this.#lists) list.restart();
  }

  /** @returns the part that the user does not have; undefined if that is nothing */
  add<Delta extends DeltaParts>(delta: Delta): Delta | undefined {
    const behind = !this.#isCaughtUp || this.isFinished;
    const text = this.#newText(delta.text);
    const tokenIds = this.#tokenIds.takeNew(delta.tokenIds);
    const logprobs = this.#logprobs.takeNew(delta.logprobs);
    const toolCalls = this.#toolCalls.takeNew(delta.toolCalls ?? []);
    const isEmpty = text === "" && tokenIds.length + logprobs.length + toolCalls.length === 0;
    if (this.isFinished && !isEmpty) {
      throw new ResentDifferently("an answer goes on after its end");
    }
    if (behind && isEmpty) return undefined;
    const calls = delta.toolCalls && { toolCalls };
    return { ...delta, text, tokenIds, logprobs, ...calls };
  }

  /** The answer ended: all that was delivered must have come again. @returns whether that is news */
  finish(finished: GenerateFinished): boolean {
    if (!this.#isCaughtUp) throw new ResentDifferently("an answer ends before its broken end");
    const before = this.#finished;
    this.#finished = finished;
    if (before === undefined) return true;
    if (before.reason !== finished.reason) {
      throw new ResentDifferently("an answer ends for another reason");
    }
    return false;
  }

  get #isCaughtUp(): boolean {
    return this.#textCame >= this.#text.length && this.#lists.every((list) => list.isCaughtUp);
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
}
