// How fast a queue moves, and so when to ask again.

/** Least and most that a refused caller is told to wait, in ms. */
export const retryAfterRangeMs = { min: 1_000, max: 60_000 } as const;
/** Moments that are remembered. */
const momentsMax = 32;

/** The moments at which requests left a queue for the batch. */
export class AdmissionRate {
  readonly #moments: number[] = [];

  note(nowMs: number): void {
    this.#moments.push(nowMs);
    if (this.#moments.length > momentsMax) this.#moments.shift();
  }

  /**
   * When half of those who wait will have been let in, if they are let in as fast as the last ones:
   * asking at the moment when the queue is empty would come too late for a fair place in it.
   */
  retryAfterMs(nowMs: number, numWaiting: number): number {
    const first = this.#moments[0];
    const { min, max } = retryAfterRangeMs;
    if (first === undefined) return min;
    const eachMs = (nowMs - first) / this.#moments.length;
    return Math.min(max, Math.max(min, Math.ceil((eachMs * numWaiting) / 2)));
  }
}
