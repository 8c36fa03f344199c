// Dawn looks in every turn of the event loop for what it waits for. Where the device is these same
// cores, turns that follow each other without rest take from it what they wait for.

/** A software adapter's calls take milliseconds: what this adds is not seen. */
const turnMs = 0.5;

/** Slows the event loop down while something of Dawn's is awaited. */
export class SlowTurns {
  readonly #cell = new Int32Array(new SharedArrayBuffer(4));
  #awaited = 0;

  /** Whatever `promise` settles with. */
  async while<T>(promise: Promise<T>): Promise<T> {
    this.#awaited += 1;
    if (this.#awaited === 1) setImmediate(() => this.#turn());
    try {
      return await promise;
    } finally {
      this.#awaited -= 1;
    }
  }

  #turn(): void {
    if (this.#awaited === 0) return;
    Atomics.wait(this.#cell, 0, 0, turnMs);
    setImmediate(() => this.#turn());
  }
}
