// One list that a stream carries, and that a resent stream repeats from its beginning.

/** How a resent stream differs from what was delivered; texts, ids and numbers are never part of it. */
export class ResentDifferently extends Error {
  override readonly name = "ResentDifferently";
}

/** What of a list was delivered: only so much of each item is kept as tells it from another. */
export class ResentList<Item> {
  readonly #what: string;
  readonly #keyOf: (item: Item) => string | number;
  readonly #delivered: (string | number)[] = [];
  /** How many items of the present stream have come. */
  #came = 0;

  /**
   * @param what it is a list of, in a word
   * @param keyOf the same for an item and its repetition, and for no other that might be in its place
   */
  constructor(what: string, keyOf: (item: Item) => string | number) {
    this.#what = what;
    this.#keyOf = keyOf;
  }

  /** Whether anything was delivered. */
  get isEmpty(): boolean {
    return this.#delivered.length === 0;
  }

  /** Whether all that was delivered has come again. */
  get isCaughtUp(): boolean {
    return this.#came >= this.#delivered.length;
  }

  /** The stream begins again. */
  restart(): void {
    this.#came = 0;
  }

  /** @returns the items that the user does not have. @throws {ResentDifferently} */
  takeNew(items: readonly Item[]): Item[] {
    const news: Item[] = [];
    for (const item of items) {
      const key = this.#keyOf(item);
      const isNew = this.isCaughtUp;
      if (isNew) {
        this.#delivered.push(key);
        news.push(item);
      } else if (this.#delivered[this.#came] !== key) {
        throw new ResentDifferently(`other ${this.#what} where some were delivered`);
      }
      this.#came++;
    }
    return news;
  }
}
