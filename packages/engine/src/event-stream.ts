// Events from the step loop to one reader, who may be slow or walk away.
import type { GenerateDelta, GenerateEvent } from "./generate-event.ts";
import type { TokenLogprobs } from "./logprobs.ts";

/** An event in the queue; a delta there may still grow. */
type Queued =
  | Exclude<GenerateEvent, GenerateDelta>
  | { kind: "delta"; index: number; text: string; tokenIds: number[]; logprobs: TokenLogprobs[] };
type Result = IteratorResult<GenerateEvent, undefined>;

interface Reader {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Events that wait for their reader. Deltas that wait become one, and of progress the last stays,
 * so a slow reader costs no more memory than the answer it has not read. The writer never waits: it
 * goes on with what it can do at once, such as the next step, before the reader hears.
 */
export class EventStream implements AsyncIterableIterator<GenerateEvent, undefined> {
  readonly #events: Queued[] = [];
  readonly #readers: Reader[] = [];
  readonly #onAbandon: () => void;
  /** Answers that have not finished. */
  #numOpen: number;
  /** Set once no event will follow; how the stream ends after those that wait are read. */
  #ending: { readonly error: unknown } | "done" | undefined;

  /**
   * @param onAbandon called at most once, when the reader leaves before the end
   * @param numAnswers as many "finished" events come, the last of them last of all
   */
  constructor(onAbandon: () => void, numAnswers = 1) {
    this.#onAbandon = onAbandon;
    this.#numOpen = numAnswers;
  }

  /** Adds an event. Nothing is added to a stream that ended. */
  push(event: GenerateEvent): void {
    if (this.#ending !== undefined) return;
    const last = this.#events.at(-1);
    if (event.kind === "progress" && last?.kind === "progress") this.#events.pop();
    if (event.kind !== "delta") this.#events.push(event);
    else this.#pushDelta(event);
    if (event.kind === "finished") this.#numOpen -= 1;
    if (this.#numOpen === 0) this.#ending = "done";
    process.nextTick(() => this.#serve());
  }

  /** A delta joins the last of its answer, however many of the others' came since. */
  #pushDelta(event: GenerateDelta): void {
    const last = this.#events.findLast(
      (waiting) => waiting.kind === "delta" && waiting.index === event.index,
    );
    if (last?.kind !== "delta") {
      const { tokenIds, logprobs } = event;
      this.#events.push({ ...event, tokenIds: [...tokenIds], logprobs: [...logprobs] });
    } else {
      last.text += event.text;
      last.tokenIds.push(...event.tokenIds);
      last.logprobs.push(...event.logprobs);
    }
  }

  /** Ends the stream with an error, after the events that wait. */
  fail(error: unknown): void {
    if (this.#ending !== undefined) return;
    this.#ending = { error };
    this.#serve();
  }

  next(): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject });
      this.#serve();
    });
  }

  /** The reader leaves: what waits is dropped, and nothing more is wanted. */
  return(): Promise<Result> {
    const isAbandoned = this.#ending === undefined;
    this.#events.length = 0;
    this.#ending = "done";
    this.#serve();
    if (isAbandoned) this.#onAbandon();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Gives the readers that wait what there is to give. */
  #serve(): void {
    while (this.#readers.length > 0) {
      const event = this.#events.shift();
      if (event === undefined && this.#ending === undefined) return;
      const reader = this.#readers.shift()!;
      if (event !== undefined) reader.resolve({ done: false, value: event });
      else if (this.#ending === "done") reader.resolve({ done: true, value: undefined });
      else {
        reader.reject(this.#ending?.error);
        this.#ending = "done";
      }
    }
  }
}
