// Who waits, who is active, and whose blocks are whose.
import assert from "node:assert/strict";
import type { BlockId } from "@octet/core";
import { EngineError } from "./engine-error.ts";
import type { KvBlockPool } from "./kv-block-pool.ts";
import type { Sequence } from "./sequence.ts";

/** How many sequences may be where, and for how long. */
export interface AdmissionLimits {
  readonly activeSequencesMax: number;
  readonly queuedSequencesMax: number;
  readonly queueWaitMs: number;
}

/** How much of the prompts the prefix cache had. */
export interface PrefixCounts {
  /** Tokens of prompts that were looked up. */
  readonly queriesTokens: number;
  /** Of those, tokens that were found. */
  readonly hitsTokens: number;
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
  readonly #prefix = { queriesTokens: 0, hitsTokens: 0 };

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

  /** Since the start. */
  get prefix(): PrefixCounts {
    return { ...this.#prefix };
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
      if (!this.#admit(this.#waiting[0]!)) return;
      this.#active.push(this.#waiting.shift()!);
    }
  }

  /** After a step: its full blocks can be found by others. */
  registerComputed(sequence: Sequence): void {
    const full = Math.floor(sequence.cachedTokens / this.#blockSizeTokens);
    for (; sequence.registeredBlocks < full; sequence.registeredBlocks++) {
      const digest = sequence.digestOf(sequence.registeredBlocks);
      if (digest === undefined) return;
      this.#pool.register(sequence.blocks[sequence.registeredBlocks]!, digest);
    }
  }

  /** All keys and values are gone: who is active waits again, before the others, for blocks. */
  loseCaches(): void {
    this.#pool.forgetPrefixes();
    for (const sequence of this.#active) this.#release(sequence);
    this.#waiting = [...this.#active, ...this.#waiting];
    this.#active = [];
  }

  /** @throws {AssertionError} if a block is lost, or held otherwise than by active sequences */
  checkIntegrity(): void {
    this.#pool.checkIntegrity(this.#active.flatMap(({ blocks }) => blocks));
    for (const { blocks } of this.#active) {
      assert.equal(new Set(blocks).size, blocks.length, "a block is in a sequence twice");
    }
    for (const { blocks } of this.#waiting) assert.equal(blocks.length, 0, "who waits has blocks");
  }

  get #blockSizeTokens(): number {
    return this.#pool.blockSizeTokens;
  }

  /** Gives it its blocks, those of its prefix that are computed among them; false for too few. */
  #admit(sequence: Sequence): boolean {
    const hits = this.#findPrefix(sequence);
    const count = this.#pool.blocksFor(sequence.reservedTokens) - hits.length;
    const blocks = this.#pool.grant(hits, count);
    if (blocks === undefined) return false;
    const cachedTokens = hits.length * this.#blockSizeTokens;
    if (sequence.isNew && sequence.usesPrefixCache) {
      this.#prefix.queriesTokens += sequence.givenTokens;
      this.#prefix.hitsTokens += cachedTokens;
    }
    sequence.begin(blocks, cachedTokens);
    sequence.registeredBlocks = hits.length;
    return true;
  }

  /** Its longest prefix of whole blocks that is computed; one token at least is left to compute. */
  #findPrefix(sequence: Sequence): BlockId[] {
    const found: BlockId[] = [];
    const most = Math.floor((sequence.numTokens - 1) / this.#blockSizeTokens);
    while (found.length < most) {
      const digest = sequence.digestOf(found.length);
      const block = digest === undefined ? undefined : this.#pool.find(digest);
      if (block === undefined) break;
      found.push(block);
    }
    return found;
  }

  #expire(sequence: Sequence, nowMs: number): void {
    const { queueWaitMs } = this.#limits;
    if (!sequence.isNew) return; // it was let in once, and has begun its answer
    if (nowMs - sequence.submittedMs <= queueWaitMs) return;
    const detail = `waited more than ${queueWaitMs} ms for free KV blocks; ask again later`;
    sequence.fail(new EngineError("overloaded", detail));
  }

  #release(sequence: Sequence): void {
    this.#pool.release(sequence.blocks);
    sequence.giveUpBlocks();
  }
}
