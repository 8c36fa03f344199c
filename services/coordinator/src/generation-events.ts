// The engine's events as messages of the API. Generate and Chat share them.
import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  GenerateDelta,
  GenerateFinished,
  GenerateStarted,
  PromptLogprobs,
  TokenLogprob,
  TokenLogprobs,
} from "@octet/engine";
import {
  FinishReason,
  type GenerateFinishedSchema,
  type GenerateStartedSchema,
  type PromptLogprobsSchema,
  type TokenLogprobSchema,
  type TokenLogprobsSchema,
} from "@octet/protocol";
import type { Tokenizer } from "@octet/tokenizer";

/** A byte order mark is a character like any other. */
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** What events say besides what the engine knows. */
export interface AboutRequest {
  readonly requestId: string;
  readonly model: string;
  readonly promptTokenIds: Int32Array;
  /** Tokens that were cut off it. */
  readonly truncatedTokens: number;
  /** Whether events carry token ids. */
  readonly details: boolean;
  /** Spells the tokens that logprobs are of. */
  readonly tokenizer: Tokenizer;
}

/** The first event of an answer. */
export function toStarted(
  event: GenerateStarted,
  about: AboutRequest,
): MessageInitShape<typeof GenerateStartedSchema> {
  return {
    requestId: about.requestId,
    model: about.model,
    seed: event.seed,
    promptTokens: event.promptTokens,
    promptTokenIds: about.details ? Array.from(about.promptTokenIds) : [],
  };
}

/** More of the answer: what the deltas of both methods have. */
export function toDelta(
  event: GenerateDelta,
  about: AboutRequest,
): {
  readonly index: number;
  readonly text: string;
  readonly tokenIds: number[];
  readonly logprobs: MessageInitShape<typeof TokenLogprobsSchema>[];
} {
  const tokenIds = about.details ? [...event.tokenIds] : [];
  return {
    index: event.index,
    text: event.text,
    tokenIds,
    logprobs: toLogprobs(event.logprobs, about),
  };
}

/** How likely the prompt's tokens were. */
export function toPromptLogprobs(
  { tokens }: PromptLogprobs,
  about: AboutRequest,
): MessageInitShape<typeof PromptLogprobsSchema> {
  return { tokens: toLogprobs(tokens, about) };
}

/** How likely tokens were, with what they spell. */
export function toLogprobs(
  scores: readonly TokenLogprobs[],
  { tokenizer }: AboutRequest,
): MessageInitShape<typeof TokenLogprobsSchema>[] {
  const toLogprob = ({
    tokenId,
    logprob,
  }: TokenLogprob): MessageInitShape<typeof TokenLogprobSchema> => {
    const piece = tokenizer.pieceBytes(tokenId);
    const bytes = tokenizer.isControlToken(tokenId) ? new Uint8Array() : piece;
    return { tokenId, logprob, bytes, text: utf8.decode(piece) };
  };
  return scores.map(({ chosen, rank, top }) => ({
    chosen: toLogprob(chosen),
    rank,
    top: top.map(toLogprob),
  }));
}

const reasons = {
  "end-of-sequence": FinishReason.END_OF_SEQUENCE,
  stop: FinishReason.STOP,
  length: FinishReason.LENGTH,
} as const;

/** The last event of an answer. */
export function toFinished(
  event: GenerateFinished,
  { truncatedTokens }: AboutRequest,
): MessageInitShape<typeof GenerateFinishedSchema> {
  return {
    index: event.index,
    reason: reasons[event.reason],
    promptTokens: event.usage.promptTokens,
    completionTokens: event.usage.completionTokens,
    timings: {
      queuedUs: BigInt(event.timings.queuedUs),
      prefillUs: BigInt(event.timings.prefillUs),
      decodeUs: BigInt(event.timings.decodeUs),
    },
    experts: event.experts.map((use) => ({
      expertId: use.expertId,
      workerId: use.workerId,
      address: use.address,
      calls: BigInt(use.calls),
      rows: BigInt(use.rows),
      queuedUs: BigInt(Math.round(use.queuedUs)),
      computedUs: BigInt(Math.round(use.computedUs)),
    })),
    stopString: event.stopString ?? "",
    ...(event.routedExperts === undefined ? {} : { routedExperts: event.routedExperts }),
    cachedPromptTokens: event.usage.cachedPromptTokens,
    ...(event.stopTokenId === undefined ? {} : { stopTokenId: event.stopTokenId }),
    truncatedPromptTokens: truncatedTokens,
  };
}
