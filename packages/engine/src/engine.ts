// Generates: many sequences in one batch, one step after another.
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import type { AttentionEngine } from "@octet/kernels";
import { AdjustScratch } from "./adjust-logits.ts";
import { Admission, type PrefixCounts } from "./admission.ts";
import { toConstraintError } from "./constraint-follower.ts";
import { createSequences } from "./create-sequences.ts";
import type { DraftCounts } from "./drafter.ts";
import { EngineError } from "./engine-error.ts";
import { checkLimits, defaultLimits, type EngineLimits } from "./engine-limits.ts";
import { EventStream } from "./event-stream.ts";
import type { ExpertClient } from "./expert-client.ts";
import { type ForwardOutcome, runForward } from "./forward.ts";
import type { GenerateEvent } from "./generate-event.ts";
import { abortError, type GenerateRequest } from "./generate-request.ts";
import type { MicroBatches } from "./halves-policy.ts";
import { KvBlockPool } from "./kv-block-pool.ts";
import type { ChunkSize, StepChunk } from "./plan-drafts.ts";
import { randomSeed } from "./random-seed.ts";
import type { Sequence } from "./sequence.ts";
import { StepCosts } from "./step-costs.ts";
import { StepCutter } from "./step-cutter.ts";
import { isCacheLost, toEngineError } from "./step-failure.ts";

/** Where the engine says what it recovered from; a telemetry Logger is one. */
export interface EngineLog {
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** What an engine runs on. The caller keeps ownership: close it after the engine. */
export interface EngineOptions {
  readonly attention: AttentionEngine;
  readonly experts: ExpertClient;
  readonly limits?: Partial<EngineLimits> | undefined;
  /**
   * Whether steps of many sequences are computed in two halves, so that one attends while the
   * other's experts compute. Default "off".
   */
  readonly microBatches?: MicroBatches | undefined;
  /**
   * Whether next tokens are guessed from what a sequence said before, and several checked in one
   * step, where that was measured to be quicker. No token changes by it. Default false.
   */
  readonly speculation?: boolean | undefined;
  /** Monotonic. Default: performance.now. */
  readonly nowMs?: (() => number) | undefined;
  /** A fresh seed, 0 .. 2^64 - 1, for a request that names none. Default: cryptographic. */
  readonly chooseSeed?: (() => bigint) | undefined;
  readonly log?: EngineLog | undefined;
}

/** How busy an engine is. */
export interface EngineLoad {
  readonly activeSequences: number;
  readonly queuedSequences: number;
  readonly freeBlocks: number;
  /** Held by nobody, but kept for a prompt that begins alike; free as soon as they are needed. */
  readonly cachedBlocks: number;
  readonly numBlocks: number;
  /** How often a sequence gave up its blocks for another, and was computed again, since the start. */
  readonly preemptions: number;
  /** How many steps were computed, since the start. */
  readonly steps: number;
  /** Of those, how many in two halves. */
  readonly halvedSteps: number;
  /** How much of the prompts the prefix cache had, since the start. */
  readonly prefix: PrefixCounts;
  /** Tokens that were guessed and checked, since the start. */
  readonly drafts: DraftCounts;
}

/** Generates text with one model, for several callers at once. */
export interface Engine {
  /** Longest sequence it takes, prompt and answer together. */
  readonly contextTokens: number;
  /**
   * Queues a request at once. The engine does not wait for the reader: deltas that are not read
   * become one. Leaving the loop early (`break`, `return()`) cancels the sequence.
   *
   * @returns events in order; next() rejects with the EngineError that ended the sequence
   * @throws {EngineError} "invalid-argument", "context-length-exceeded", "overloaded", "closed",
   *   "deadline-exceeded" past its deadline or, if the signal is aborted already, "cancelled"
   */
  generate(request: GenerateRequest): AsyncIterableIterator<GenerateEvent, undefined>;
  load(): EngineLoad;
  /** Takes no new requests, and waits until those it has are done. */
  drain(): Promise<void>;
  /** Takes no new requests, cancels those it has, and waits for the step under way to end. */
  close(): Promise<void>;
  /** @throws {AssertionError} if a KV block is lost or doubled */
  checkIntegrity(): void;
}

/** An engine over an attention engine and the experts that go with it. */
export function createEngine(options: EngineOptions): Engine {
  return new BatchingEngine(options);
}

class BatchingEngine implements Engine {
  readonly contextTokens: number;
  readonly #attention: AttentionEngine;
  readonly #experts: ExpertClient;
  readonly #limits: EngineLimits;
  readonly #nowMs: () => number;
  readonly #chooseSeed: () => bigint;
  readonly #log: EngineLog | undefined;
  readonly #pool: KvBlockPool;
  readonly #admission: Admission<Sequence>;
  readonly #scratch: AdjustScratch;
  /** The other answers of a request, until its first has computed the prompt. */
  readonly #followers = new Map<Sequence, readonly Sequence[]>();
  #nextId = 0;
  #isClosed = false;
  readonly #cutter: StepCutter;
  /** Undefined if nothing is guessed. */
  readonly #costs: StepCosts | undefined;
  readonly #drafts = { numDrafts: 0, numAccepted: 0 };
  /** The step under way. */
  #step: { readonly members: readonly Sequence[]; readonly abort: AbortController } | undefined;
  /** Ends the loop's wait for constraints, while it has nothing else to do. */
  #wake: (() => void) | undefined;
  /** The step loop, while there is work. */
  #loop: Promise<void> | undefined;

  constructor(options: EngineOptions) {
    this.#attention = options.attention;
    this.#experts = options.experts;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#chooseSeed = options.chooseSeed ?? randomSeed;
    this.#log = options.log;
    this.#pool = new KvBlockPool(options.attention);
    this.#limits = { ...defaultLimits, ...options.limits };
    checkLimits(this.#limits);
    this.contextTokens = Math.min(
      options.attention.model.maxPositions,
      this.#pool.capacityTokens,
      this.#limits.contextTokensMax,
    );
    this.#admission = new Admission(this.#pool, this.#limits);
    const { microBatches = "off" } = options;
    this.#cutter = new StepCutter(microBatches, this.#limits.halvedSequencesMin);
    this.#costs =
      options.speculation === true ? new StepCosts(this.#limits.draftedRowsMax) : undefined;
    this.#scratch = new AdjustScratch(options.attention.model.vocabSize);
  }

  generate(request: GenerateRequest): AsyncIterableIterator<GenerateEvent, undefined> {
    if (this.#isClosed) throw new EngineError("closed", "the engine is shutting down");
    const { signal } = request;
    if (signal?.aborted) throw abortError(signal.reason);
    const numAnswers = 1 + (request.moreAnswers?.length ?? 0);
    const failAll = (error: EngineError) => {
      for (const sequence of sequences) sequence.fail(error);
    };
    const abandoned = new EngineError("cancelled", "nobody reads the answer any more");
    const events = new EventStream(() => failAll(abandoned), numAnswers);
    const onAbort = () => failAll(abortError(signal?.reason));
    const onEnded = (error: EngineError | undefined) => {
      if (error !== undefined) failAll(error);
      if (sequences.every(({ isEnded }) => isEnded)) {
        signal?.removeEventListener("abort", onAbort);
        this.#followers.delete(first);
      }
      this.#wake?.();
      this.#abortUnwantedStep();
    };
    const sequences = createSequences(request, {
      model: this.#attention.model,
      contextTokens: this.contextTokens,
      blockSizeTokens: this.#pool.blockSizeTokens,
      scratch: this.#scratch,
      maskDeadlineMs: this.#limits.maskDeadlineMs,
      draftTokensMax: this.#costs === undefined ? undefined : this.#limits.draftTokensMax,
      chooseSeed: this.#chooseSeed,
      firstId: this.#nextId,
      submittedMs: this.#nowMs(),
      events,
      onEnded,
    });
    this.#nextId += sequences.length;
    const [first, ...followers] = sequences as [Sequence, ...Sequence[]];
    this.#admission.submit(first);
    if (followers.length > 0) this.#followers.set(first, followers);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#loop ??= this.#run();
    this.#wake?.();
    return events;
  }

  load(): EngineLoad {
    return {
      activeSequences: this.#admission.active.length,
      queuedSequences: this.#admission.waiting.length,
      freeBlocks: this.#pool.numFree,
      cachedBlocks: this.#pool.numCached,
      numBlocks: this.#pool.numBlocks,
      ...this.#cutter.counts,
      preemptions: this.#admission.numPreemptions,
      prefix: this.#admission.prefix,
      drafts: { ...this.#drafts },
    };
  }

  async drain(): Promise<void> {
    this.#isClosed = true;
    await this.#loop;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const closed = new EngineError("cancelled", "the engine was closed");
    const { waiting, active } = this.#admission;
    for (const sequence of [...waiting, ...active]) sequence.fail(closed);
    await this.#loop;
  }

  checkIntegrity(): void {
    this.#admission.checkIntegrity();
    for (const first of this.#followers.keys()) assert(!first.isEnded, "who ended has followers");
  }

  /**
   * Opens the constraints of those who are active for the first time: the first mask is worked out
   * while the prompt is computed, and its time does not run while they wait for blocks.
   */
  #startConstraints(): void {
    for (const sequence of this.#admission.active) {
      try {
        sequence.start(() => this.#wake?.());
      } catch (cause) {
        this.#fail(sequence, toConstraintError(cause));
      }
    }
  }

  /** Lets sequences go on, or end, whose constraints have said how. */
  #settleConstraints(): void {
    const nowMs = this.#nowMs();
    for (const sequence of this.#admission.active) {
      try {
        sequence.settle(nowMs);
      } catch (cause) {
        this.#fail(sequence, cause);
      }
    }
  }

  /** Until a constraint says something, a request comes or a sequence ends. */
  async #untilWoken(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }

  /** One step after another until nobody wants more. */
  async #run(): Promise<void> {
    await setImmediate(); // requests that come together begin together
    while (this.#admission.waiting.length + this.#admission.active.length > 0) {
      this.#settleConstraints();
      this.#admission.update(this.#nowMs());
      this.#startConstraints();
      const plan = this.#admission.plan((numRows) => this.#costs?.estimate(numRows));
      // The step begins first: what the last one said is written while this one computes.
      // Sockets, timers and cancels have their turn, even if an engine computes in one go.
      if (plan.length > 0) await Promise.all([this.#runStep(plan), setImmediate()]);
      const isHeld = this.#admission.active.some((sequence) => sequence.isHeld);
      if (plan.length === 0 && isHeld) await this.#untilWoken();
      if (plan.length === 0 || isHeld) await setImmediate(); // a mask may be there by then
    }
    this.#loop = undefined;
    this.checkIntegrity();
  }

  async #runStep(plan: readonly StepChunk<Sequence>[]): Promise<void> {
    const startMs = this.#nowMs();
    const members = plan.map(({ sequence }) => sequence);
    const abort = new AbortController();
    this.#step = { members, abort };
    const chunks = plan.map((chunk) => chunk.sequence.startChunk(chunk, startMs));
    const cut = this.#cutter.cut(chunks);
    const outcomes = await runForward(chunks, {
      parts: cut.parts,
      attention: this.#attention,
      experts: this.#experts,
      expertDeadlineMs: this.#limits.expertDeadlineMs,
      expertRowMs: this.#limits.expertRowMs,
      nowMs: this.#nowMs,
      signal: abort.signal,
    });
    this.#step = undefined;
    const isComputed = outcomes.every(({ kind }) => kind === "computed");
    const elapsedMs = isComputed ? this.#nowMs() - startMs : undefined;
    this.#cutter.stepped(cut, elapsedMs);
    if (elapsedMs !== undefined) this.#costs?.observe(cut.size.numTokens, elapsedMs);
    const isLost = outcomes.some(isCacheLost);
    const reopened = isLost ? await this.#awaitDevice() : undefined;
    for (const [i, { sequence, numTokens }] of plan.entries()) {
      await this.#scorePrompt(sequence, numTokens, outcomes[i]!);
    }
    const nowMs = this.#nowMs();
    plan.forEach((chunk, i) => {
      const { sequence } = chunk;
      const outcome = outcomes[i]!;
      if (isCacheLost(outcome) && reopened === true && sequence.loseCache(chunk)) return;
      this.#conclude(sequence, chunk, { outcome, nowMs });
      this.#admission.settle(sequence);
      this.#releaseFollowers(sequence);
    });
    if (isLost) this.#admission.loseCaches();
    this.#admission.update(nowMs); // whoever reads of an end finds the blocks free already
  }

  /** Once the prompt is computed, those that share it wait for blocks of their own. */
  #releaseFollowers(first: Sequence): void {
    if (!first.hasSampled && !first.isEnded) return;
    for (const follower of this.#followers.get(first) ?? []) {
      if (follower.isEnded) continue;
      follower.follow(first);
      this.#admission.requeue(follower);
    }
    this.#followers.delete(first);
  }

  /** Whether the attention engine computes again after it lost its device. */
  async #awaitDevice(): Promise<boolean> {
    this.#log?.warn("device lost");
    try {
      await this.#attention.ready?.();
      return true;
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : String(cause);
      this.#log?.warn("device not replaced", { detail });
      return false;
    }
  }

  /** Hands a sequence its share of a step; whatever is wrong with it stays its own failure. */
  #conclude(
    sequence: Sequence,
    size: ChunkSize,
    { outcome, nowMs }: { outcome: ForwardOutcome; nowMs: number },
  ): void {
    if (sequence.isEnded) return; // cancelled while the step ran
    try {
      if (outcome.kind === "failed") {
        if (size.numDrafts === 0 || isCacheLost(outcome)) throw outcome.error;
        sequence.dropDrafts(size);
        return;
      }
      this.#drafts.numDrafts += size.numDrafts;
      this.#drafts.numAccepted += sequence.acceptChunk(size, outcome.logits, nowMs);
    } catch (cause) {
      this.#fail(sequence, cause);
    }
  }

  /** What a sequence asked of its prompt's logits, which are many: others have their turn. */
  async #scorePrompt(sequence: Sequence, numTokens: number, outcome: ForwardOutcome) {
    if (sequence.isEnded || outcome.kind === "failed") return;
    try {
      await sequence.scorePrompt(numTokens, outcome.logits);
    } catch (cause) {
      this.#fail(sequence, cause);
    }
  }

  #fail(sequence: Sequence, cause: unknown): void {
    const error = toEngineError(cause);
    const { code: errorCode, expertId } = error;
    this.#log?.warn("sequence failed", { sequenceId: sequence.id, errorCode, expertId });
    sequence.fail(error);
  }

  /** Cancels the calls under way once no sequence of the step wants them. */
  #abortUnwantedStep(): void {
    if (this.#step?.members.every((sequence) => sequence.isEnded)) {
      this.#step.abort.abort(new EngineError("cancelled", "no sequence of the step is wanted"));
    }
  }
}
