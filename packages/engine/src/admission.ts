// Who waits, who is active, and whose blocks are whose.
import assert from "node:assert/strict";
import { EngineError } from "./engine-error.ts";
import type { KvBlockPool } from "./kv-block-pool.ts";
import type { Sequence } from "./sequence.ts";

/** How many sequences may be where, and for how long. */
export interface AdmissionLimits {
  readonly activeSequencesMax: number;
  readonly queuedSequencesMax: number;
  readonly queueWaitMs: number;
}

/**
 * A bounded queue before a batch. A sequence becomes active once blocks for all it may ever need
 * are its own, so an active one never runs out; first come, first served, with no overtaking.
 */
export class Admission {
  readonly #pool: KvBlockPool;
  readonly #limits: AdmissionLimits;
  #waiting: Sequence[] = [];
  #active: Sequence[] = [];

  constructor(pool: KvBlockPool, limits: AdmissionLimits) {
    this.#pool = pool;
    this.#limits = limits;
  }

  /** Those that hold blocks, in the order they came. */
  get active(): readonly Sequence[] {
    return this.#active;
  }

  get waiting(): readonly Sequence[] {
    return this.#waiting;
  }

  /**
   * Puts a sequence at the end of the queue.
   *
   * @throws {EngineError} "overloaded" if the queue is full
   */
  submit(sequence: Sequence): void {
    const needed = this.#pool.blocksFor(sequence.reservedTokens);
    assert(needed <= this.#pool.numBlocks, `${needed} blocks of ${this.#pool.numBlocks}`);
    this.#waiting = this.#waiting.filter((queued) => !queued.isEnded);
    const { queuedSequencesMax } = this.#limits;
    if (this.#waiting.length >= queuedSequencesMax) {
      throw new EngineError(
        "overloaded",
        `the queue is full: ${queuedSequencesMax} requests are waiting; ask again later`,
        { limit: { max: queuedSequencesMax, found: this.#waiting.length } },
      );
    }
    this.#waiting.push(sequence);
  }

  /** Between two steps: lets go of who has ended or waited too long, and lets in who fits. */
  update(nowMs: number): void {
    for (const sequence of this.#active) {
      if (sequence.isEnded) this.#release(sequence);
    }
    this.#active = this.#active.filter((sequence) => !sequence.isEnded);
    for (const sequence of this.#waiting) this.#expire(sequence, nowMs);
    this.#waiting = this.#waiting.filter((sequence) => !sequence.isEnded);
    while (this.#waiting.length > 0 && this.#active.length < this.#limits.activeSequencesMax) {
      const blocks = this.#pool.allocate(this.#pool.blocksFor(this.#waiting[0]!.reservedTokens));
      if (blocks === undefined) return;
      const sequence = this.#waiting.shift()!;
      sequence.blocks = blocks;
      this.#active.push(sequence);
    }
  }

  /** @throws {AssertionError} if a block is not either free or one active sequence's */
  checkIntegrity(): void {
    this.#pool.checkIntegrity();
    const held = this.#active.flatMap((sequence) => sequence.blocks);
    assert.equal(new Set(held).size, held.length, "a block is in two sequences");
    assert.equal(held.length + this.#pool.numFree, this.#pool.numBlocks, "a block is lost");
  }

  #expire(sequence: Sequence, nowMs: number): void {
    const { queueWaitMs } = this.#limits;
    if (nowMs - sequence.submittedMs <= queueWaitMs) return;
    const detail = `waited more than ${queueWaitMs} ms for free KV blocks; ask again later`;
    sequence.fail(new EngineError("overloaded", detail));
  }

  #release(sequence: Sequence): void {
    this.#pool.release(sequence.blocks);
    sequence.blocks = [];
  }
}
