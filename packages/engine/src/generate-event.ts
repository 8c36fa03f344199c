// What a caller sees of one generation, in order.
import type { FinishReason } from "./answer.ts";
import type { ExpertUse } from "./expert-use.ts";
import type { TokenLogprobs } from "./logprobs.ts";
import type { RoutedExperts } from "./routed-experts.ts";

/** First of all events, once for all answers. */
export interface GenerateStarted {
  readonly kind: "started";
  readonly promptTokens: number;
  /** The first answer's seed, the engine's own choice included; answerSeed has the others'. */
  readonly seed: bigint;
}

/** More of the answer: what has come since the last delta, so that a slow reader sees fewer. */
export interface GenerateDelta {
  readonly kind: "delta";
  /** Which answer it belongs to, from 0. */
  readonly index: number;
  /** Whole characters; may be empty. Part of a stop string only if that was to be included. */
  readonly text: string;
  /** Each sampled token is in exactly one delta, those that end the sequence included. */
  readonly tokenIds: readonly number[];
  /** One for each of tokenIds if they were asked for, else none. */
  readonly logprobs: readonly TokenLogprobs[];
}

/** How far a prompt is, if that was asked for: after each of its chunks. */
export interface PrefillProgress {
  readonly kind: "progress";
  readonly promptTokens: number;
  /** Of these, how many were in the KV cache already. */
  readonly cachedTokens: number;
  /** And how many are there by now, those included. */
  readonly computedTokens: number;
}

/** How likely the prompt's tokens were, if that was asked for; before the first delta. */
export interface PromptLogprobs {
  readonly kind: "prompt-logprobs";
  /** Of the prompt's next tokens, in order; the first of all events has token 1's first. */
  readonly tokens: readonly TokenLogprobs[];
}

/** Last of an answer's events, if it ended well; the last answer's is the last of all. */
export interface GenerateFinished {
  readonly kind: "finished";
  readonly index: number;
  readonly reason: FinishReason;
  /** What appeared: exactly one of these is set if reason is "stop", else none. */
  readonly stopString: string | undefined;
  readonly usage: GenerateUsage;
  readonly stopTokenId: number | undefined;
  readonly timings: GenerateTimings;
  /** Who answered, in ascending expert id; empty unless details were asked for. */
  readonly experts: readonly ExpertUse[];
  /** Set if it was asked for. */
  readonly routedExperts: RoutedExperts | undefined;
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

/**
 * One event of a generation: started, what the prompt gave, then of each answer any number of
 * deltas, and finished.
 */
export type GenerateEvent =
  | GenerateStarted
  | PrefillProgress
  | PromptLogprobs
  | GenerateDelta
  | GenerateFinished;
