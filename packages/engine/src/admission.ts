// Who waits, who is active, whose blocks are whose, and who gives way when there are too few.
import assert from "node:assert/strict";
import type { BlockId } from "@octet/core";
import { FairShare } from "./fair-share.ts";
import type { KvBlockPool } from "./kv-block-pool.ts";
import { type DraftTerms, planDrafts, type StepChunk } from "./plan-drafts.ts";
import { type PlannedChunk, planStep } from "./plan-step.ts";
import { byUrgency, lateness, type Schedulable } from "./schedulable.ts";
import { type WaitLimits, WaitQueue } from "./wait-queue.ts";

/** How many sequences may be where, and for how long. */
export interface AdmissionLimits extends WaitLimits {
  readonly activeSequencesMax: number;
  /** At least activeSequencesMax. */
  readonly stepTokensMax: number;
  /** Most rows of a step in which guesses are checked. */
  readonly draftedRowsMax: number;
}

/** How much of the prompts the prefix cache had. */
export interface PrefixCounts {
  /** Tokens of prompts that were looked up. */
  readonly queriesTokens: number;
  /** Of those, tokens that were found. */
  readonly hitsTokens: number;
}

/**
 * A bounded queue before a batch. A sequence becomes active with blocks for the tokens it has, and
 * takes more as it grows. When there are none, the least urgent active one gives up its blocks and
 * waits to be computed again from its first token; the most urgent always has what it needs, so
 * the batch always gets on.
 *
 * No clock, no socket, no randomness: the same calls give the same plans.
 */
export class Admission<S extends Schedulable> {
  readonly #pool: KvBlockPool;
  readonly #limits: AdmissionLimits;
  readonly #share = new FairShare();
  readonly #queue: WaitQueue<S>;
  #active: S[] = [];
  #numPreemptions = 0;
  readonly #prefix = { queriesTokens: 0, hitsTokens: 0 };

  constructor(pool: KvBlockPool, limits: AdmissionLimits) {
    this.#pool = pool;
    this.#limits = limits;
    this.#queue = new WaitQueue(limits, (clientId) => this.#promisedTokens(clientId));
  }

  /** Those that hold blocks, in the order they were let in. */
  get active(): readonly S[] {
    return this.#active;
  }

  get waiting(): readonly S[] {
    return this.#queue.waiting;
  }

  /** How often a sequence gave up its blocks for another, since the start. */
  get numPreemptions(): number {
    return this.#numPreemptions;
  }

  /** Since the start. */
  get prefix(): PrefixCounts {
    return { ...this.#prefix };
  }

  /**
   * Puts a new sequence into the queue; a full one refuses it, or another in its place.
   *
   * @throws {EngineError} "overloaded", or "deadline-exceeded" if it comes too late
   */
  submit(sequence: S): void {
    const needed = this.#pool.blocksFor(sequence.reservedTokens);
    assert(needed <= this.#pool.numBlocks, `${needed} blocks of ${this.#pool.numBlocks}`);
    this.#queue.submit(sequence, sequence.submittedMs);
  }

  /** Takes what belongs to a request that was let in before, ahead of those that were not. */
  requeue(sequence: S): void {
    this.#queue.requeue(sequence);
  }

  /**
   * Between two steps: lets go of who has ended, waited too long or is past its deadline, and lets
   * in who fits.
   */
  update(nowMs: number): void {
    // One may end others of its request: all of them before any is let go of.
    for (const sequence of this.#active) {
      const late = lateness(sequence, nowMs);
      if (late !== undefined) sequence.fail(late);
    }
    for (const sequence of this.#active) {
      if (sequence.isEnded) this.#release(sequence);
    }
    this.#active = this.#active.filter((sequence) => !sequence.isEnded);
    this.#queue.expire(nowMs);
    this.#share.settle([...this.#active, ...this.#queue.waiting].map(({ clientId }) => clientId));
    for (let next = this.#queue.next(); next !== undefined; next = this.#queue.next()) {
      if (!this.#admit(next, nowMs)) return;
    }
  }

  /**
   * Who computes how many tokens in the next step; all of them have the blocks for it.
   *
   * @param costOf as {@link planDrafts} takes it
   */
  plan(costOf: DraftTerms<S>["costOf"]): StepChunk<S>[] {
    for (;;) {
      // Who waits for a constraint to choose its next token has none to compute.
      const ready = this.#fairOrder().filter((one) => one.pendingTokens > 0 && !one.isEnded);
      const plan = planStep(ready, this.#limits.stepTokensMax);
      if (plan.every((chunk) => this.#grow(chunk))) return this.#addDrafts(plan, costOf);
      this.#preemptOne();
    }
  }

  /** Guesses take what is left of a step, and slots that nobody else could have. */
  #addDrafts(plan: readonly PlannedChunk<S>[], costOf: DraftTerms<S>["costOf"]): StepChunk<S>[] {
    return planDrafts(plan, {
      rowsMax: Math.min(this.#limits.draftedRowsMax, this.#limits.stepTokensMax),
      costOf,
      offerOf: (sequence, countMax) => {
        const numSlots = sequence.blocks.length * this.#blockSizeTokens;
        return sequence.draft(Math.min(countMax, numSlots - sequence.numTokens));
      },
    });
  }

  /** After a step: what a sequence was given counts, and its full blocks can be found by others. */
  settle(sequence: S): void {
    // What is computed again after it gave way is not its client's doing.
    const numNew = sequence.cachedTokens - sequence.chargedTokens;
    if (numNew > 0) {
      this.#share.charge(sequence.clientId, numNew);
      sequence.chargedTokens = sequence.cachedTokens;
    }
    const full = Math.floor(sequence.cachedTokens / this.#blockSizeTokens);
    for (; sequence.registeredBlocks < full; sequence.registeredBlocks++) {
      const digest = sequence.digestOf(sequence.registeredBlocks);
      if (digest === undefined) return;
      this.#pool.register(sequence.blocks[sequence.registeredBlocks]!, digest);
    }
  }

  /** All keys and values are gone: who is active waits again for blocks. */
  loseCaches(): void {
    this.#pool.forgetPrefixes();
    for (const sequence of this.#active) {
      this.#release(sequence);
      this.#queue.requeue(sequence);
    }
    this.#active = [];
  }

  /** @throws {AssertionError} if a block is lost, or held otherwise than by active sequences */
  checkIntegrity(): void {
    this.#pool.checkIntegrity(this.#active.flatMap(({ blocks }) => blocks));
    for (const { blocks } of this.#active) {
      assert.equal(new Set(blocks).size, blocks.length, "a block is in a sequence twice");
    }
    for (const { blocks } of this.waiting) assert.equal(blocks.length, 0, "who waits has blocks");
  }

  get #blockSizeTokens(): number {
    return this.#pool.blockSizeTokens;
  }

  /** What a client was given, and what those of its sequences that are active have yet to get. */
  #promisedTokens(clientId: string): number {
    let promised = this.#share.servedTokens(clientId);
    for (const sequence of this.#active) {
      if (sequence.clientId === clientId) promised += sequence.numTokens - sequence.chargedTokens;
    }
    return promised;
  }

  /** The client that was given least comes first, so that no long prompt keeps others waiting. */
  #fairOrder(): S[] {
    const served = (sequence: S) => this.#share.servedTokens(sequence.clientId);
    return this.#active.toSorted(
      (a, b) => a.priority - b.priority || served(a) - served(b) || a.id - b.id,
    );
  }

  /** Lets a sequence in, if need be in place of less urgent ones; false if it has to wait. */
  #admit(sequence: S, nowMs: number): boolean {
    while (!this.#begin(sequence, nowMs)) {
      if (!this.#fitsWithoutTheLessUrgent(sequence)) return false;
      this.#preemptOne();
    }
    return true;
  }

  #begin(sequence: S, nowMs: number): boolean {
    if (this.#active.length >= this.#limits.activeSequencesMax) return false;
    const hits = this.#findPrefix(sequence);
    const count = this.#pool.blocksFor(sequence.numTokens) - hits.length;
    const cachedHits = hits.filter((block) => this.#pool.isUnheld(block)).length;
    const left = this.#pool.numFree + this.#pool.numCached - cachedHits - count;
    // Each of the others may want a block in its next step; better to wait than to give way then.
    if (left < this.#active.length) return false;
    const blocks = this.#pool.grant(hits, count);
    assert(blocks !== undefined, `${count} blocks were there and are not`);
    this.#queue.remove(sequence, nowMs);
    const cachedTokens = hits.length * this.#blockSizeTokens;
    if (sequence.isNew) {
      sequence.chargedTokens = cachedTokens;
      this.#prefix.queriesTokens += sequence.usesPrefixCache ? sequence.numTokens : 0;
      this.#prefix.hitsTokens += cachedTokens;
    }
    sequence.begin(blocks, cachedTokens);
    sequence.registeredBlocks = hits.length;
    this.#active.push(sequence);
    return true;
  }

  /** Whether it could be let in if all that are less urgent by priority gave way. */
  #fitsWithoutTheLessUrgent(sequence: S): boolean {
    const staying = this.#active.filter(({ priority }) => priority <= sequence.priority);
    if (staying.length >= this.#limits.activeSequencesMax) return false;
    const hits = this.#findPrefix(sequence);
    const kept = new Set([...hits, ...staying.flatMap(({ blocks }) => blocks)]);
    const count = this.#pool.blocksFor(sequence.numTokens) - hits.length;
    return this.#pool.numBlocks - kept.size - count >= staying.length;
  }

  /** Its longest prefix of whole blocks that is computed; one token at least is left to compute. */
  #findPrefix(sequence: S): BlockId[] {
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

  /** Gives a sequence the blocks that its part in a step needs; false if there are too few. */
  #grow({ sequence, numTokens }: PlannedChunk<S>): boolean {
    const needed = this.#pool.blocksFor(sequence.cachedTokens + numTokens);
    if (needed <= sequence.blocks.length) return true;
    const more = this.#pool.allocate(needed - sequence.blocks.length);
    if (more === undefined) return false;
    sequence.blocks = [...sequence.blocks, ...more];
    return true;
  }

  /** The least urgent of those that are active gives way. */
  #preemptOne(): void {
    const sequence = this.#active.toSorted(byUrgency).at(-1)!;
    this.#numPreemptions += 1;
    this.#release(sequence);
    this.#active = this.#active.filter((active) => active !== sequence);
    this.#queue.requeue(sequence);
  }

  #release(sequence: S): void {
    this.#pool.release(sequence.blocks);
    sequence.giveUpBlocks();
  }
}
