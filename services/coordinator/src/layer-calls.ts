// The calls of one layer: who of them was last, and by how much.

/** Who is told once all calls of a layer have settled. */
export interface LayerObserver {
  /**
   * All were answered, and there were several.
   *
   * @param lagSeconds from the median call's time to the longest's
   */
  answered(lagSeconds: number, slowestId: number): void;
  /** At least one was not answered. */
  failed(): void;
}

/** Calls that are made together and settle one by one. */
export class LayerCalls {
  readonly #layer: number;
  readonly #observer: LayerObserver;
  readonly #askedIds = new Set<number>();
  readonly #answers: { readonly expertId: number; readonly seconds: number }[] = [];
  #numOpen = 0;
  #hasFailed = false;
  #isClosed = false;

  constructor(layer: number, observer: LayerObserver) {
    this.#layer = layer;
    this.#observer = observer;
  }

  /** Whether a call is one of these: another half of a step may ask for its layer meanwhile. */
  takes(layer: number, expertId: number): boolean {
    return layer === this.#layer && !this.#askedIds.has(expertId);
  }

  /** A call begins. */
  asked(expertId: number): void {
    this.#askedIds.add(expertId);
    this.#numOpen += 1;
  }

  answered(expertId: number, seconds: number): void {
    this.#answers.push({ expertId, seconds });
    this.#settleOne();
  }

  failed(): void {
    this.#hasFailed = true;
    this.#settleOne();
  }

  /** No more calls begin. */
  close(): void {
    this.#isClosed = true;
    this.#report();
  }

  #settleOne(): void {
    this.#numOpen -= 1;
    this.#report();
  }

  #report(): void {
    if (!this.#isClosed || this.#numOpen > 0) return;
    if (this.#hasFailed) this.#observer.failed();
    else if (this.#answers.length > 1) {
      const ranked = this.#answers.toSorted((a, b) => a.seconds - b.seconds);
      const median = ranked[Math.floor((ranked.length - 1) / 2)]!;
      const last = ranked.at(-1)!;
      this.#observer.answered(last.seconds - median.seconds, last.expertId);
    }
  }
}
