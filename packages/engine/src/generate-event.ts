// What a caller sees of one generation, in order.
import type { FinishReason } from "./answer.ts";
import type { ExpertUse } from "./expert-use.ts";

/** First of all events. */
export interface GenerateStarted {
  readonly kind: "started";
  readonly promptTokens: number;
  /** The seed in use, the engine's own choice included. */
  readonly seed: bigint;
}

/** More of the answer: what has come since the last delta, so that a slow reader sees fewer. */
export interface GenerateDelta {
  readonly kind: "delta";
  /** Whole characters; may be empty. Part of a stop string only if that was to be included. */
  readonly text: string;
  /** Each sampled token is in exactly one delta, those that end the sequence included. */
  readonly tokenIds: readonly number[];
}

/** Last of all events, if the sequence ended well. */
export interface GenerateFinished {
  readonly kind: "finished";
  readonly reason: FinishReason;
  /** What appeared: exactly one of these is set if reason is "stop", else none. */
  readonly stopString: string | undefined;
  readonly usage: GenerateUsage;
  readonly stopTokenId: number | undefined;
  readonly timings: GenerateTimings;
  /** Who answered, in ascending expert id; empty unless details were asked for. */
  readonly experts: readonly ExpertUse[];
}

/** What one answer took. */
export interface GenerateUsage {
  readonly promptTokens: number;
  /** An end-of-sequence token included. */
  readonly completionTokens: number;
  /** Of the prompt, tokens that the prefix cache had and nobody computed again. */
  readonly cachedPromptTokens: number;
}

/** By the engine's clock, in whole microseconds. */
export interface GenerateTimings {
  /** From the call of generate to the first step. */
  readonly queuedUs: number;
  /** From the first step to the first token. */
  readonly prefillUs: number;
  /** From the first token to the last. */
  readonly decodeUs: number;
}

/** One event of a generation: started, any number of deltas, finished. */
export type GenerateEvent = GenerateStarted | GenerateDelta | GenerateFinished;
