// Words that an answer may not say: which tokens would be the last of one, now.

/** Follows an answer token by token. */
export class BadWords {
  readonly #words: readonly (readonly number[])[];
  /** The answer's last tokens, as many as matter. */
  readonly #said: number[] = [];
  readonly #numSaidMax: number;

  /**
   * @param words at least one, each at least one token
   * @param said what is there of the answer already; words that began before it do not count
   */
  constructor(words: readonly (readonly number[])[], said: ArrayLike<number>) {
    this.#words = words;
    this.#numSaidMax = Math.max(...words.map((word) => word.length)) - 1;
    for (let i = 0; i < said.length; i++) this.push(said[i]!);
  }

  /** The answer's next token. */
  push(tokenId: number): void {
    this.#said.push(tokenId);
    if (this.#said.length > this.#numSaidMax) this.#said.shift();
  }

  /**
   * The tokens that would complete a word.
   *
   * @see vllm 3e34265, vllm/v1/sample/ops/bad_words.py
   */
  barred(): ReadonlySet<number> {
    const ended = this.#words.filter((word) => {
      const start = this.#said.length - (word.length - 1);
      return (
        start >= 0 && word.every((id, i) => i === word.length - 1 || id === this.#said[start + i])
      );
    });
    return new Set(ended.map((word) => word.at(-1)!));
  }
}
