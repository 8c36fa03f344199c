// A sequence as those see it who decide when it runs: no tokens, no text.
import type { BlockId } from "@octet/core";
import { EngineError } from "./engine-error.ts";
import type { DraftOffer } from "./plan-drafts.ts";
import type { PlannableSequence } from "./plan-step.ts";
import type { PrefixDigest } from "./prefix-chain.ts";

/** What a sequence is, and has, for scheduling. */
export interface Schedulable extends PlannableSequence {
  /** Rises in the order in which they came. */
  readonly id: number;
  /** Whose share of the machine it takes. */
  readonly clientId: string;
  /** Lower runs first. */
  readonly priority: number;
  readonly submittedMs: number;
  /** From then on nobody wants its answer; infinite if that never comes. */
  readonly deadlineMs: number;
  /** Positions it may need slots for in the end. */
  readonly reservedTokens: number;
  /** Tokens that are known, and of those, how many have keys and values in its blocks. */
  readonly numTokens: number;
  readonly cachedTokens: number;
  /** It wants no further step. */
  readonly isEnded: boolean;
  /** It has never had blocks. */
  readonly isNew: boolean;
  /** Its blocks in order; empty unless it is active. */
  blocks: readonly BlockId[];
  /** Of its blocks, how many others may have found. */
  registeredBlocks: number;
  /** Of its tokens, how many were found or count against its client, however often computed. */
  chargedTokens: number;
  /** Whether its blocks can be found by others, and others' by it. */
  readonly usesPrefixCache: boolean;
  /** What a full block of its own holds; undefined without a part in the prefix cache. */
  digestOf(block: number): PrefixDigest | undefined;
  /** Guesses what follows its next token, and offers at most `countMax` of it to be checked. */
  draft(countMax: number): DraftOffer;
  /** Becomes active: of its tokens, the first `cachedTokens` have keys and values in `blocks`. */
  begin(blocks: readonly BlockId[], cachedTokens: number): void;
  /** Its blocks are no longer its own: it starts over from its first token. */
  giveUpBlocks(): void;
  fail(error: EngineError): void;
}

/** What a sequence ends with whose deadline has come; undefined if it has not. */
export function lateness(sequence: Schedulable, nowMs: number): EngineError | undefined {
  if (nowMs < sequence.deadlineMs) return undefined;
  const before = sequence.isNew ? "it began" : "its answer was whole";
  return new EngineError("deadline-exceeded", `the request's deadline passed before ${before}`);
}

/** Negative if `a` keeps its blocks longer than `b`: the more urgent, then whoever came first. */
export function byUrgency(a: Schedulable, b: Schedulable): number {
  return a.priority - b.priority || a.id - b.id;
}
