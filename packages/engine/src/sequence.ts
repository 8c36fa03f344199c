// One generation in progress: its tokens, its KV blocks and its place in both.
import assert from "node:assert/strict";
import type { BlockId, SequenceId } from "@octet/core";
import type { AnswerFinish, AnswerStep } from "./answer.ts";
import type { ConstraintFollower } from "./constraint-follower.ts";
import type { EngineError } from "./engine-error.ts";
import type { ForwardSequence } from "./forward.ts";
import type { ChunkSize, DraftOffer } from "./plan-drafts.ts";
import type { PrefixDigest } from "./prefix-chain.ts";
import { requireFinite } from "./sampler.ts";
import type { Schedulable } from "./schedulable.ts";
import type { SequenceParts } from "./sequence-parts.ts";
import { rowFromEnd, type SequenceLogits } from "./step-rows.ts";
import type { ChosenToken } from "./token-chooser.ts";

/** How often in a row a device may be lost under a sequence before it is given up. */
const cachesLostMax = 5;

/** A token of the answer, and what it did to it. */
type SaidToken = ChosenToken & AnswerStep;

/**
 * A sequence waits, then is active (has blocks), perhaps waits again when others need its blocks,
 * and ends once: finished or failed.
 */
export class Sequence implements Schedulable {
  readonly id: SequenceId;
  readonly reservedTokens: number;
  readonly submittedMs: number;
  readonly deadlineMs: number;
  readonly clientId: string;
  readonly priority: number;
  /** Its blocks in order; empty unless it is active. */
  blocks: readonly BlockId[] = [];
  /** Of its blocks, how many others may have found. */
  registeredBlocks = 0;
  /** Of its tokens, how many were found or count against its client, however often computed. */
  chargedTokens = 0;
  readonly #parts: SequenceParts;
  /** The prompt and what was sampled. */
  readonly #tokenIds: number[];
  /** Of those, how many have keys and values in the blocks. */
  #cachedTokens = 0;
  /** Of its prompt, how many tokens had been computed before it came; unknown until it is active. */
  #cachedPromptTokens: number | undefined;
  /** Caches lost since the last token was sampled. */
  #cachesLost = 0;
  #firstStepMs: number | undefined;
  #firstTokenMs: number | undefined;
  #isEnded = false;
  #constraint: ConstraintFollower | undefined;
  /** [V]: the logits of its next token, kept until the constraint says which may come. */
  #held: Float32Array | undefined;

  constructor(parts: SequenceParts) {
    this.id = parts.id;
    this.reservedTokens = parts.reservedTokens;
    this.submittedMs = parts.submittedMs;
    this.deadlineMs = parts.deadlineMs;
    this.clientId = parts.clientId;
    this.priority = parts.priority;
    this.#parts = parts;
    this.#tokenIds = Array.from(parts.promptTokenIds);
    const { answerStart, seed, events, index } = parts;
    if (index === 0) events.push({ kind: "started", promptTokens: answerStart, seed });
  }

  /** Whether it wants no further step; its blocks may be released between steps. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Decode once a token was sampled, unless its keys and values are computed again. */
  get phase(): "prefill" | "decode" {
    return this.hasSampled && this.pendingTokens === 1 ? "decode" : "prefill";
  }

  get pendingTokens(): number {
    return this.#tokenIds.length - this.#cachedTokens;
  }

  get usesPrefixCache(): boolean {
    return this.#parts.prefix !== undefined;
  }

  /** Whether it has never had blocks. */
  get isNew(): boolean {
    return this.#cachedPromptTokens === undefined;
  }

  /** What a block of its own holds once it is full; undefined without a part in the prefix cache. */
  digestOf(block: number): PrefixDigest | undefined {
    return this.#parts.prefix?.digestOf(block, this.#tokenIds);
  }

  /** Tokens that are known: the prompt and what was sampled. */
  get numTokens(): number {
    return this.#tokenIds.length;
  }

  /** Tokens that have keys and values in its blocks. */
  get cachedTokens(): number {
    return this.#cachedTokens;
  }

  /**
   * Becomes active.
   *
   * @param blocks enough for its next steps
   * @param cachedTokens of its tokens, how many have keys and values in them already: all but one
   *   at most, since somebody must compute the logits
   */
  begin(blocks: readonly BlockId[], cachedTokens: number): void {
    assert(this.#cachedTokens === 0 && cachedTokens < this.numTokens, `${cachedTokens} cached`);
    this.blocks = blocks;
    this.#cachedTokens = cachedTokens;
    this.#cachedPromptTokens ??= cachedTokens;
  }

  /** Whether its prompt is computed, and a token of its own sampled. */
  get hasSampled(): boolean {
    return this.#tokenIds.length > this.#parts.promptTokenIds.length;
  }

  /**
   * It may begin, now that the prompt is computed by the request's first answer: as part of what was
   * let in, it is neither counted as a request nor charged for the prompt.
   */
  follow(first: Sequence): void {
    this.#cachedPromptTokens = first.#cachedPromptTokens;
    this.chargedTokens = this.numTokens;
  }

  /** Whether no step can help it: its constraint has yet to say which token may come next. */
  get isHeld(): boolean {
    return this.#held !== undefined;
  }

  /** Asks its constraint for the first mask, unless it has done so before. */
  start(onSettled: () => void): void {
    if (this.#constraint !== undefined || this.#isEnded) return;
    this.#constraint = this.#parts.openConstraint?.(onSettled);
  }

  /**
   * Before a step: goes on with the token that was held back, or ends, if its constraint has
   * settled that; not past its deadline.
   *
   * @throws {EngineError} "constraint-failed"
   */
  settle(nowMs: number): void {
    const state = this.#constraint?.state;
    if (state === undefined || state.kind === "pending") return;
    if (this.#isEnded || nowMs >= this.deadlineMs) return;
    if (state.kind === "failed") throw state.error;
    if (state.kind === "complete") this.#complete(nowMs);
    else if (this.#held !== undefined) {
      const logits = this.#held;
      this.#held = undefined;
      this.#tell([this.#choose({ kind: "all", logits }, state.bits)], nowMs);
    }
  }

  /** Guesses what follows its next token: no more than it may say besides. */
  draft(countMax: number): DraftOffer {
    const count = Math.min(countMax, this.reservedTokens - this.numTokens);
    return this.#parts.drafter?.draft(this.#tokenIds, count) ?? { numTokens: 0, odds: 0 };
  }

  /**
   * Its next tokens as a step takes them, with logits if they are the last; after them guesses, of
   * which each has logits.
   */
  startChunk({ numTokens, numDrafts }: ChunkSize, nowMs: number): ForwardSequence {
    assert(numTokens >= 1 && numTokens <= this.pendingTokens, `chunk of ${numTokens} tokens`);
    assert(numDrafts === 0 || this.phase === "decode", `${numDrafts} guesses during prefill`);
    this.#firstStepMs ??= nowMs;
    const start = this.#cachedTokens;
    const scores = this.#parts.promptScore?.needs(start + numTokens) === true;
    const rows = numTokens === this.pendingTokens ? "last" : "none";
    const known = this.#tokenIds.slice(start, start + numTokens);
    return {
      tokenIds: Int32Array.from([...known, ...this.#drafts(numDrafts)]),
      startPosition: start,
      blockTable: this.blocks,
      logits: scores || numDrafts > 0 ? "all" : rows,
      topLogits: scores ? undefined : this.#parts.chooser.topLogits,
      expertUse: this.#parts.expertUse,
      routedExperts: this.#parts.routedExperts,
    };
  }

  /**
   * Scores what a step computed of its prompt, if that was asked for; before `acceptChunk`.
   *
   * @throws {EngineError} "internal" if a logit is not finite
   */
  async scorePrompt(numTokens: number, computed: SequenceLogits): Promise<void> {
    const { promptScore, events, vocabSize } = this.#parts;
    const start = this.#cachedTokens;
    if (promptScore?.needs(start + numTokens) !== true || computed.kind !== "all") return;
    requireFinite(computed.logits);
    const tokens = await promptScore.score(computed.logits, start, vocabSize);
    if (!this.#isEnded) events.push({ kind: "prompt-logprobs", tokens });
  }

  /**
   * Takes what a step computed, and perhaps ends.
   *
   * @param logits of its last row and its guesses', or anything while tokens are pending
   * @returns how many guesses were right
   * @throws {EngineError} "internal" if a logit is not finite
   */
  acceptChunk({ numTokens, numDrafts }: ChunkSize, logits: SequenceLogits, nowMs: number): number {
    assert(!this.#isEnded, `sequence ${this.id} has ended`);
    this.#cachedTokens += numTokens;
    this.#reportProgress();
    if (numDrafts > 0) return this.#takeDrafted(numDrafts, logits, nowMs);
    const { saysNothing, vocabSize, expertUse, drafter } = this.#parts;
    expertUse?.settle(numTokens);
    if (this.pendingTokens > 0) return 0;
    if (saysNothing) {
      this.#finish({ reason: "length" }, nowMs);
      return 0;
    }
    const row = rowFromEnd(logits, 0, vocabSize);
    if (this.#constraint === undefined) {
      const token = this.#choose(row, undefined);
      drafter?.observe([token.tokenId]);
      this.#tell([token], nowMs);
      return 0;
    }
    // Settled at once if the mask is there already; the row is gone with the step.
    this.#held = row.kind === "all" ? row.logits.slice() : undefined;
    this.settle(nowMs);
    return 0;
  }

  /**
   * Chooses the next token, and goes on as long as a guess was the token chosen: what the step
   * computed of it is then what another would have.
   */
  #takeDrafted(numDrafts: number, logits: SequenceLogits, nowMs: number): number {
    const { vocabSize, expertUse, drafter } = this.#parts;
    const drafts = this.#drafts(numDrafts);
    const said: SaidToken[] = [];
    try {
      for (let i = 0; i <= numDrafts; i++) {
        const token = this.#choose(rowFromEnd(logits, numDrafts - i, vocabSize), undefined);
        said.push(token);
        if (token.finish !== undefined || token.tokenId !== drafts[i]) break;
        this.#cachedTokens += 1;
      }
    } finally {
      const numAccepted = Math.max(0, said.length - 1);
      drafter?.observe(said.map(({ tokenId }) => tokenId));
      expertUse?.settle(1 + numAccepted);
      this.#tell(said, nowMs);
    }
    return said.length - 1;
  }

  /** The first of its latest guesses. */
  #drafts(count: number): readonly number[] {
    return this.#parts.drafter?.tokenIds.slice(0, count) ?? [];
  }

  #choose(row: SequenceLogits, mask: Uint32Array | undefined): SaidToken {
    const { answer, chooser } = this.#parts;
    const chosen = chooser.choose(row, this.#tokenIds.length, mask);
    this.#tokenIds.push(chosen.tokenId);
    return { ...chosen, ...answer.push(chosen.tokenId) };
  }

  /** Hands on what a step gave, in one delta, and ends if the last token did. */
  #tell(said: readonly SaidToken[], nowMs: number): void {
    const last = said.at(-1);
    if (last === undefined) return;
    this.#firstTokenMs ??= nowMs;
    this.#cachesLost = 0;
    this.#parts.events.push({
      kind: "delta",
      index: this.#parts.index,
      text: said.map(({ text }) => text).join(""),
      tokenIds: said.map(({ tokenId }) => tokenId),
      logprobs: said.flatMap(({ logprobs }) => logprobs ?? []),
    });
    if (last.finish !== undefined) this.#finish(last.finish, nowMs);
    else this.#constraint?.follow(last.tokenId);
  }

  /** Its constraint lets nothing follow. */
  #complete(nowMs: number): void {
    const { answer, events, index } = this.#parts;
    const { text, finish } = answer.complete();
    if (text !== "") events.push({ kind: "delta", index, text, tokenIds: [], logprobs: [] });
    this.#finish(finish!, nowMs);
  }

  #reportProgress(): void {
    const { reportsProgress, promptTokenIds, events, answerStart: promptTokens } = this.#parts;
    if (!reportsProgress || this.#tokenIds.length > promptTokenIds.length) return;
    const cachedTokens = Math.min(this.#cachedPromptTokens ?? 0, promptTokens);
    const computedTokens = Math.min(this.#cachedTokens, promptTokens);
    events.push({ kind: "progress", promptTokens, cachedTokens, computedTokens });
  }

  #finish(finish: AnswerFinish, nowMs: number): void {
    const { answer, events } = this.#parts;
    const firstStepMs = this.#firstStepMs ?? nowMs;
    const firstTokenMs = this.#firstTokenMs ?? nowMs;
    events.push({
      kind: "finished",
      index: this.#parts.index,
      reason: finish.reason,
      stopString: finish.stopString,
      stopTokenId: finish.stopTokenId,
      usage: {
        promptTokens: this.#parts.answerStart,
        completionTokens: answer.numTokens,
        cachedPromptTokens: Math.min(this.#cachedPromptTokens ?? 0, this.#parts.answerStart),
      },
      timings: {
        queuedUs: toUs(firstStepMs - this.submittedMs),
        prefillUs: toUs(firstTokenMs - firstStepMs),
        decodeUs: toUs(nowMs - firstTokenMs),
      },
      experts: this.#parts.expertUse?.toList() ?? [],
      routedExperts: this.#parts.routedExperts?.take(this.#cachedTokens),
    });
    this.#end();
  }

  /**
   * Its blocks are no longer its own: it starts over from its first token once it has others, and
   * what it samples next is what it would have sampled.
   */
  giveUpBlocks(): void {
    this.blocks = [];
    this.registeredBlocks = 0;
    this.#cachedTokens = 0;
  }

  /**
   * A step of its own found that a device had taken its keys and values along.
   *
   * @returns whether it should be tried again, or has lost its cache too often to get on
   */
  loseCache({ numTokens }: ChunkSize): boolean {
    this.#parts.expertUse?.settle(numTokens);
    this.#cachesLost += 1;
    return this.#cachesLost <= cachesLostMax;
  }

  /** A step with guesses failed, perhaps because of them: its next one goes without. */
  dropDrafts({ numTokens }: ChunkSize): void {
    this.#parts.expertUse?.settle(numTokens);
    this.#parts.drafter?.rest();
  }

  /** Ends with an error, unless it has ended already. */
  fail(error: EngineError): void {
    if (this.#isEnded) return;
    this.#parts.events.fail(error);
    this.#end(error);
  }

  #end(error?: EngineError): void {
    this.#isEnded = true;
    this.#held = undefined;
    this.#constraint?.close();
    this.#parts.onEnded(error);
  }
}

function toUs(ms: number): number {
  return Math.round(ms * 1000);
}
