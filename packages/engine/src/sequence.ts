// One generation in progress: its tokens, its KV blocks and its place in both.
import assert from "node:assert/strict";
import type { BlockId, SequenceId } from "@octet/core";
import type { Answer } from "./answer.ts";
import type { EngineError } from "./engine-error.ts";
import type { EventStream } from "./event-stream.ts";
import type { ExpertUseLog } from "./expert-use.ts";
import type { ForwardSequence } from "./forward.ts";
import type { PlannableSequence } from "./plan-step.ts";
import { sampleToken } from "./sampler.ts";
import type { SamplingParams } from "./sampling-params.ts";

/** What a sequence is made of. */
export interface SequenceParts {
  readonly id: SequenceId;
  /** At least 1. */
  readonly promptTokenIds: Int32Array;
  readonly sampling: SamplingParams;
  readonly answer: Answer;
  readonly events: EventStream;
  readonly expertUse: ExpertUseLog | undefined;
  /** Positions whose keys and values it may need to keep: all but the last token's. */
  readonly reservedTokens: number;
  readonly submittedMs: number;
  /** Called once, when the sequence ends, however it does. */
  readonly onEnded: () => void;
}

/** A sequence waits, then is active (has blocks), and ends once: finished or failed. */
export class Sequence implements PlannableSequence {
  readonly id: SequenceId;
  readonly reservedTokens: number;
  readonly submittedMs: number;
  /** Its blocks in order, enough for all it may generate; empty unless it is active. */
  blocks: readonly BlockId[] = [];
  readonly #parts: SequenceParts;
  /** Tokens whose keys and values are in the blocks. */
  #cachedTokens = 0;
  #lastTokenId: number | undefined;
  #firstStepMs: number | undefined;
  #firstTokenMs: number | undefined;
  #isEnded = false;

  constructor(parts: SequenceParts) {
    this.id = parts.id;
    this.reservedTokens = parts.reservedTokens;
    this.submittedMs = parts.submittedMs;
    this.#parts = parts;
    const { promptTokenIds, sampling, events } = parts;
    events.push({
      kind: "started",
      promptTokens: promptTokenIds.length,
      seed: sampling.seed,
    });
  }

  /** Whether it wants no further step; its blocks may be released between steps. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  get phase(): "prefill" | "decode" {
    return this.#lastTokenId === undefined ? "prefill" : "decode";
  }

  get pendingTokens(): number {
    if (this.#lastTokenId !== undefined) return 1;
    return this.#parts.promptTokenIds.length - this.#cachedTokens;
  }

  /** Its next `numTokens` tokens as a step takes them, with logits once the prompt is complete. */
  startChunk(numTokens: number, nowMs: number): ForwardSequence {
    assert(numTokens >= 1 && numTokens <= this.pendingTokens, `chunk of ${numTokens} tokens`);
    this.#firstStepMs ??= nowMs;
    const start = this.#cachedTokens;
    return {
      tokenIds:
        this.#lastTokenId === undefined
          ? this.#parts.promptTokenIds.subarray(start, start + numTokens)
          : Int32Array.of(this.#lastTokenId),
      startPosition: start,
      blockTable: this.blocks,
      logits: numTokens === this.pendingTokens ? "last" : "none",
      expertUse: this.#parts.expertUse,
    };
  }

  /**
   * Takes what a step computed, and perhaps ends.
   *
   * @param logits [1, V], or nothing while the prompt is incomplete
   * @throws {EngineError} "internal" if a logit is not finite
   */
  acceptChunk(numTokens: number, logits: Float32Array, nowMs: number): void {
    assert(!this.#isEnded, `sequence ${this.id} has ended`);
    const isPromptIncomplete = numTokens < this.pendingTokens;
    this.#cachedTokens += numTokens;
    if (isPromptIncomplete) return;
    const { answer, events, sampling } = this.#parts;
    const tokenId = sampleToken(logits, sampling, this.#cachedTokens);
    this.#firstTokenMs ??= nowMs;
    this.#lastTokenId = tokenId;
    const { text, finish } = answer.push(tokenId);
    events.push({ kind: "delta", text, tokenIds: [tokenId] });
    if (finish === undefined) return;
    events.push({
      kind: "finished",
      reason: finish.reason,
      stopString: finish.stopString,
      usage: {
        promptTokens: this.#parts.promptTokenIds.length,
        completionTokens: answer.numTokens,
      },
      timings: {
        queuedUs: toUs(this.#firstStepMs! - this.submittedMs),
        prefillUs: toUs(this.#firstTokenMs - this.#firstStepMs!),
        decodeUs: toUs(nowMs - this.#firstTokenMs),
      },
      experts: this.#parts.expertUse?.toList() ?? [],
    });
    this.#end();
  }

  /** Ends with an error, unless it has ended already. */
  fail(error: EngineError): void {
    if (this.#isEnded) return;
    this.#parts.events.fail(error);
    this.#end();
  }

  #end(): void {
    this.#isEnded = true;
    this.#parts.onEnded();
  }
}

function toUs(ms: number): number {
  return Math.round(ms * 1000);
}
