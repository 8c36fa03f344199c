// Room for one thing that is dear to open: opening another closes it.

/** Holds at most one open thing, and which one it is. */
export class Slot<T extends AsyncDisposable> implements AsyncDisposable {
  #held: { readonly key: string; readonly value: T } | undefined;

  /** The thing of that name, opened unless it is the one that is open. */
  async get(key: string, open: () => Promise<T>): Promise<T> {
    if (this.#held?.key === key) return this.#held.value;
    await this[Symbol.asyncDispose]();
    const value = await open();
    this.#held = { key, value };
    return value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    await held?.value[Symbol.asyncDispose]();
  }
}
