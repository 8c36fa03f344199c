// An answer under way: read it event by event, or all at once.
import type { GenerateFinished, GenerateStarted } from "@octet/protocol";
import type { AnswerEvent } from "./answer-stream.ts";
import type { DeltaParts } from "./delivered-answer.ts";

/** A whole answer. */
export interface Completion {
  readonly text: string;
  /** Empty unless the request asked for `details`. */
  readonly tokenIds: readonly number[];
  readonly started: GenerateStarted;
  readonly finished: GenerateFinished;
}

/**
 * One answer. Nothing is asked before it is read, and it can be read once: by `for await`, which
 * gives events as they come, or by `text()` or `complete()`. Leaving the loop early cancels it.
 */
export class Answer<Delta extends DeltaParts> implements AsyncIterable<AnswerEvent<Delta>> {
  readonly #open: () => AsyncGenerator<AnswerEvent<Delta>, void>;
  #isOpen = false;

  constructor(open: () => AsyncGenerator<AnswerEvent<Delta>, void>) {
    this.#open = open;
  }

  [Symbol.asyncIterator](): AsyncGenerator<AnswerEvent<Delta>, void> {
    if (this.#isOpen) throw new TypeError("this answer was read already; ask for another");
    this.#isOpen = true;
    return this.#open();
  }

  /** The text alone. */
  async text(): Promise<string> {
    return (await this.complete()).text;
  }

  /** Everything, once the answer has ended. */
  async complete(): Promise<Completion> {
    let text = "";
    const tokenIds: number[] = [];
    let [started, finished]: [GenerateStarted?, GenerateFinished?] = [];
    for await (const event of this) {
      switch (event.case) {
        case "started":
          started = event.value;
          break;
        case "delta":
          text += event.value.text;
          for (const id of event.value.tokenIds) tokenIds.push(id);
          break;
        case "finished":
          finished = event.value;
      }
    }
    if (started === undefined || finished === undefined) {
      throw new TypeError("the coordinator left out the answer's first event");
    }
    return { text, tokenIds, started, finished };
  }
}
