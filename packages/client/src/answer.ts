// Answers under way: read them event by event, or whole.
import type { GenerateFinished, GenerateStarted, TokenLogprobs, ToolCall } from "@octet/protocol";
import type { DeltaParts } from "./delivered-answer.ts";
import type { AnswerEvent } from "./delivered-stream.ts";

/** A whole answer. */
export interface Completion {
  readonly text: string;
  /** What it calls, in order; empty unless the request has `tools`. */
  readonly toolCalls: readonly ToolCall[];
  /** Empty unless the request asked for `details`. */
  readonly tokenIds: readonly number[];
  /** One for each token; empty unless the request asked for `output.topLogprobs`. */
  readonly logprobs: readonly TokenLogprobs[];
  /** From the prompt's second token on; empty unless asked for by `output.promptTopLogprobs`. */
  readonly promptLogprobs: readonly TokenLogprobs[];
  readonly started: GenerateStarted;
  /** Its `index` tells answers to one prompt from each other. */
  readonly finished: GenerateFinished;
}

/**
 * The answer to one request, or the `n` that it asks for. Nothing is asked before it is read, and it
 * can be read once: by `for await`, which gives events as they come, or by one of the methods.
 * Leaving the loop early cancels it.
 */
export class Answer<Delta extends DeltaParts> implements AsyncIterable<AnswerEvent<Delta>> {
  readonly #numAnswers: number;
  readonly #open: () => AsyncGenerator<AnswerEvent<Delta>, void>;
  #isOpen = false;

  constructor(numAnswers: number, open: () => AsyncGenerator<AnswerEvent<Delta>, void>) {
    this.#numAnswers = numAnswers;
    this.#open = open;
  }

  [Symbol.asyncIterator](): AsyncGenerator<AnswerEvent<Delta>, void> {
    if (this.#isOpen) throw new TypeError("this answer was read already; ask for another");
    this.#isOpen = true;
    return this.#open();
  }

  /** The text alone. @throws {TypeError} if the request asks for several answers */
  async text(): Promise<string> {
    return (await this.complete()).text;
  }

  /** Everything, once it has ended. @throws {TypeError} if the request asks for several answers */
  async complete(): Promise<Completion> {
    if (this.#numAnswers !== 1) {
      throw new TypeError(`the request asks for ${this.#numAnswers} answers: use completeAll()`);
    }
    const [only] = await this.completeAll();
    return only!;
  }

  /** Every answer that the request asks for, by its index, once the last has ended. */
  async completeAll(): Promise<readonly Completion[]> {
    const partsOf = new Map<number, AnswerParts>();
    const parts = (index: number): AnswerParts => {
      const found = partsOf.get(index) ?? { text: "", toolCalls: [], tokenIds: [], logprobs: [] };
      partsOf.set(index, found);
      return found;
    };
    const promptLogprobs: TokenLogprobs[] = [];
    let started: GenerateStarted | undefined;
    for await (const event of this) {
      if (event.case === "started") started = event.value;
      if (event.case === "promptLogprobs") append(promptLogprobs, event.value.tokens);
      if (event.case === "delta") addDelta(parts(event.value.index), event.value);
      if (event.case === "finished") parts(event.value.index).finished = event.value;
    }
    if (started === undefined) {
      throw new TypeError("the coordinator left out the answer's first event");
    }
    const about = { promptLogprobs, started };
    return Array.from(partsOf)
      .sort(([a], [b]) => a - b)
      .flatMap(([, { finished, ...rest }]) => (finished ? [{ ...rest, ...about, finished }] : []));
  }
}

interface AnswerParts {
  text: string;
  readonly toolCalls: ToolCall[];
  readonly tokenIds: number[];
  readonly logprobs: TokenLogprobs[];
  finished?: GenerateFinished;
}

function addDelta(parts: AnswerParts, delta: DeltaParts): void {
  parts.text += delta.text;
  append(parts.tokenIds, delta.tokenIds);
  append(parts.logprobs, delta.logprobs);
  append(parts.toolCalls, delta.toolCalls ?? []);
}

/** A loop: a list of a whole context is too long to be spread into arguments. */
function append<Item>(list: Item[], more: readonly Item[]): void {
  for (const item of more) list.push(item);
}
