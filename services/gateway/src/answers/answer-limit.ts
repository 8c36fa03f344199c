// How many answers are under way, and an end to them when the gateway stops.
import { ApiError } from "../http/api-error.ts";

/** Counts answers; beyond the limit they are refused rather than queued. */
export class AnswerLimit {
  readonly #max: number;
  /** One for each request: Node remembers every signal that depends on another while that lives. */
  readonly #stops = new Set<AbortController>();
  readonly #idle = Promise.withResolvers<void>();
  #underWay = 0;
  #isClosing = false;

  constructor(max: number) {
    this.#max = max;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /**
   * Runs `work`, which computes `count` answers.
   *
   * @throws {ApiError} "overloaded" at once if there are too many; else whatever `work` throws
   */
  async run<Result>(count: number, work: (stop: AbortSignal) => Promise<Result>): Promise<Result> {
    if (this.#isClosing) throw stoppingError();
    if (this.#underWay + count > this.#max) {
      const message = `${this.#underWay} answers are under way, and at most ${this.#max} may be`;
      throw new ApiError("overloaded", `${message}; ask again later`);
    }
    this.#underWay += count;
    const stop = new AbortController();
    this.#stops.add(stop);
    try {
      return await work(stop.signal);
    } catch (error) {
      throw stop.signal.aborted ? stoppingError() : error;
    } finally {
      this.#stops.delete(stop);
      this.#underWay -= count;
      if (this.#underWay === 0 && this.#isClosing) this.#idle.resolve();
    }
  }

  /** Whether new answers are refused. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** Refuses new answers; resolves when those under way have ended. */
  drain(): Promise<void> {
    this.#isClosing = true;
    if (this.#underWay === 0) this.#idle.resolve();
    return this.#idle.promise;
  }

  /** Cancels those under way. */
  cancel(): void {
    for (const stop of this.#stops) stop.abort(stoppingError());
  }
}

/** What is said to who comes, or is still here, when the gateway stops. */
export function stoppingError(): ApiError {
  return new ApiError(
    "overloaded",
    "this gateway is stopping; ask again, of another if there is one",
  );
}
