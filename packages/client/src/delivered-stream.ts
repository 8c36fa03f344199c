// What the user has of a stream: its beginning, what it told of the prompt, and its answers.
import type {
  ChatResponse,
  GenerateFinished,
  GenerateResponse,
  GenerateStarted,
  PrefillProgress,
  PromptLogprobs,
} from "@octet/protocol";
import { DeliveredAnswer, type DeltaParts, resentLogprobs } from "./delivered-answer.ts";
import { ResentDifferently } from "./resent-list.ts";

/**
 * What a Generate stream tells, in this order: started, what was asked of the prompt, deltas,
 * finished. Of several answers each has its deltas and its end, by `index`.
 */
export type GenerateEvent = Exclude<GenerateResponse["event"], { case: undefined }>;
/** What a Chat stream tells, in the same order. */
export type ChatEvent = Exclude<ChatResponse["event"], { case: undefined }>;

/** What both have in common. */
export type AnswerEvent<Delta extends DeltaParts> =
  | { case: "started"; value: GenerateStarted }
  | { case: "delta"; value: Delta }
  | { case: "progress"; value: PrefillProgress }
  | { case: "promptLogprobs"; value: PromptLogprobs }
  | { case: "finished"; value: GenerateFinished };

/** Of a stream that may begin again, in which case its events are compared with those before. */
export class DeliveredStream {
  readonly #numAnswers: number;
  readonly #answers = new Map<number, DeliveredAnswer>();
  readonly #promptLogprobs = resentLogprobs();
  #started: GenerateStarted | undefined;
  #computedTokens = -1;

  /** @param numAnswers the stream ends with the last of so many */
  constructor(numAnswers: number) {
    this.#numAnswers = numAnswers;
  }

  /** Whether the user has a part of what was asked for. */
  get hasNews(): boolean {
    const answers = [...this.#answers.values()];
    return !this.#promptLogprobs.isEmpty || answers.some((answer) => !answer.isEmpty);
  }

  /** Whether the user was told of every answer's end. */
  get isFinished(): boolean {
    const finished = [...this.#answers.values()].filter((answer) => answer.isFinished);
    return finished.length >= this.#numAnswers;
  }

  /** The seed in use, once the coordinator has said it. */
  get seed(): bigint | undefined {
    return this.#started?.seed;
  }

  /** The stream begins again. */
  restart(): void {
    this.#promptLogprobs.restart();
    for (const answer of this.#answers.values()) answer.restart();
  }

  /** @returns what of an event the user does not have. @throws {ResentDifferently} */
  takeNews<Delta extends DeltaParts>(
    event: AnswerEvent<Delta> | { case: undefined },
  ): AnswerEvent<Delta> | undefined {
    switch (event.case) {
      case "started":
        return this.#start(event.value) ? event : undefined;
      case "progress":
        return this.#advance(event.value) ? event : undefined;
      case "promptLogprobs": {
        const tokens = this.#promptLogprobs.takeNew(event.value.tokens);
        return tokens.length === 0 ? undefined : { ...event, value: { ...event.value, tokens } };
      }
      case "delta": {
        const value = this.#answer(event.value.index).add(event.value);
        return value && { case: "delta", value };
      }
      case "finished":
        if (!this.#promptLogprobs.isCaughtUp) {
          throw new ResentDifferently("fewer of the prompt's log-probabilities come");
        }
        return this.#answer(event.value.index).finish(event.value) ? event : undefined;
      case undefined: // of a newer coordinator
        return undefined;
    }
  }

  /** @returns whether this is news to the user */
  #start(started: GenerateStarted): boolean {
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

  /** @returns whether the prompt has got further than it ever was */
  #advance({ computedTokens }: PrefillProgress): boolean {
    const isNews = computedTokens > this.#computedTokens;
    this.#computedTokens = Math.max(this.#computedTokens, computedTokens);
    return isNews;
  }

  #answer(index: number): DeliveredAnswer {
    const answer = this.#answers.get(index) ?? new DeliveredAnswer();
    this.#answers.set(index, answer);
    return answer;
  }
}
