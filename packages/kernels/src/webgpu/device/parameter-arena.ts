// Parameters of dispatches, on devices without immediates: slots of one uniform buffer.

/** Offsets into a uniform buffer are multiples of this on every device. */
const slotBytes = 256;
/** Dispatches of one submission, at most. */
const numSlots = 1024;

/** What the arena's buffer holds. */
export const parameterArenaBytes = numSlots * slotBytes;

/**
 * Filled from the start for each submission. That is safe: a write to a buffer waits for the
 * submissions before it.
 */
export class ParameterArena {
  readonly buffer: GPUBuffer;
  readonly #queue: GPUQueue;
  readonly #words = new Uint32Array(parameterArenaBytes / 4);
  #numUsed = 0;

  constructor(queue: GPUQueue, buffer: GPUBuffer) {
    this.#queue = queue;
    this.buffer = buffer;
  }

  /** @returns where `words` will be found, in bytes */
  place(words: Uint32Array): number {
    if (this.#numUsed === numSlots) throw new RangeError(`more than ${numSlots} dispatches`);
    const offsetBytes = this.#numUsed * slotBytes;
    this.#words.set(words, offsetBytes / 4);
    this.#numUsed += 1;
    return offsetBytes;
  }

  /** Writes what was placed, before the dispatches that read it are submitted. */
  flush(): void {
    const used = (this.#numUsed * slotBytes) / 4;
    if (used > 0) this.#queue.writeBuffer(this.buffer, 0, this.#words, 0, used);
    this.#numUsed = 0;
  }
}
