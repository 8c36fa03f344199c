// From a request to its sequences, one for each answer; everything is checked before any is made.
import { type ModelConfig, toSequenceId } from "@octet/core";
import type { AdjustScratch } from "./adjust-logits.ts";
import { Answer, type StreamDecoder } from "./answer.ts";
import { answerSeed } from "./answer-seed.ts";
import { constraintOpener } from "./constraint-follower.ts";
import { Drafter } from "./drafter.ts";
import type { EngineError } from "./engine-error.ts";
import type { EventStream } from "./event-stream.ts";
import { ExpertUseLog } from "./expert-use.ts";
import {
  checkAnswerStart,
  checkAnswers,
  checkPrompt,
  type GenerateRequest,
} from "./generate-request.ts";
import { PromptScore } from "./logprobs.ts";
import { type OutputRequest, resolveOutput } from "./output-params.ts";
import { PrefixChain, type PrefixScope } from "./prefix-chain.ts";
import { RoutedExpertsLog } from "./routed-experts.ts";
import { resolveSampling, type SamplingParams } from "./sampling-params.ts";
import { resolveScheduling, type SchedulingParams } from "./scheduling-params.ts";
import { Sequence } from "./sequence.ts";
import { resolveStop, type StopParams } from "./stop-params.ts";
import { TokenChooser } from "./token-chooser.ts";

/** What sequences are made with, besides their request. */
export interface SequenceContext {
  readonly model: ModelConfig;
  /** Longest sequence, prompt and answer together. */
  readonly contextTokens: number;
  readonly blockSizeTokens: number;
  /** Shared by all sequences of an engine, which choose one after another. */
  readonly scratch: AdjustScratch;
  /** Longest that a sequence waits for its constraint. */
  readonly maskDeadlineMs: number;
  /** Most tokens that are guessed at a time; undefined if none are. */
  readonly draftTokensMax: number | undefined;
  readonly chooseSeed: () => bigint;
  /** The first sequence's id; the others' follow. */
  readonly firstId: number;
  readonly submittedMs: number;
  readonly events: EventStream;
  /** Called once for each, when it ends, with the error if it failed. */
  readonly onEnded: (error: EngineError | undefined) => void;
}

/**
 * One sequence for each answer, at least one.
 *
 * @throws {EngineError} "invalid-argument" or "context-length-exceeded"
 */
export function createSequences(request: GenerateRequest, context: SequenceContext): Sequence[] {
  const { model, contextTokens, chooseSeed } = context;
  const { vocabSize } = model;
  const tokenIds = checkPrompt(request.promptTokenIds, { model, contextTokens });
  const answerStart = checkAnswerStart(request.answerStart ?? tokenIds.length, tokenIds.length);
  const decoders = [request, ...(request.moreAnswers ?? [])].map(({ decoder }) => decoder);
  checkAnswers(decoders.length, answerStart < tokenIds.length);
  const roomTokens = contextTokens - answerStart;
  const output = resolveOutput(request.output ?? {}, vocabSize);
  const maySayNothing = output.promptTopLogprobs !== undefined && answerStart === tokenIds.length;
  const stop = resolveStop(request.stop ?? {}, { roomTokens, vocabSize, maySayNothing });
  const sampling = resolveSampling(request.sampling ?? {}, { chooseSeed, vocabSize });
  const scheduling = resolveScheduling(request.scheduling ?? {});
  const about = { id: context.firstId, numAnswers: decoders.length, output };
  const scope = prefixScope(scheduling, about);
  const isDetailed = request.details === true;
  const resumed = tokenIds.subarray(answerStart);
  const follow = { resumed, vocabSize, deadlineMs: context.maskDeadlineMs };
  const openConstraint = constraintOpener(request, follow);
  const prompt = { tokenIds, answerStart, scope, isDetailed };
  const { deadlineMs = Number.POSITIVE_INFINITY } = request;
  const shared = { ...prompt, stop, output, scheduling, openConstraint, deadlineMs };
  return decoders.map((decoder, index) => {
    const seed = answerSeed(sampling.seed, index);
    const own = { index, decoder, sampling: { ...sampling, seed } };
    return createSequence(shared, own, context);
  });
}

/** What a request's answers have in common. */
interface SharedParts {
  readonly tokenIds: Int32Array;
  readonly answerStart: number;
  readonly stop: StopParams;
  readonly output: OutputRequest;
  readonly scheduling: SchedulingParams;
  readonly scope: PrefixScope | undefined;
  readonly isDetailed: boolean;
  readonly deadlineMs: number;
  readonly openConstraint: ReturnType<typeof constraintOpener>;
}

/** What each answer has of its own. */
interface AnswerParts {
  readonly index: number;
  readonly decoder: StreamDecoder;
  readonly sampling: SamplingParams;
}

function createSequence(
  shared: SharedParts,
  { index, decoder, sampling }: AnswerParts,
  context: SequenceContext,
): Sequence {
  const { model, scratch, blockSizeTokens, firstId, submittedMs, events, onEnded } = context;
  const { tokenIds, answerStart, stop, output, scheduling, scope, isDetailed } = shared;
  const { openConstraint } = shared;
  const { eosTokenIds, vocabSize } = model;
  const { topLogprobs, logprobTokenIds = [], promptTopLogprobs } = output;
  // What the prompt gives is told once, by the first answer.
  const tellsPrompt = index === 0;
  const answer = new Answer({ stop, eosTokenIds, decoder });
  answer.resume(tokenIds.subarray(answerStart));
  const endTokenIds = [...(stop.ignoreEos ? [] : eosTokenIds), ...stop.tokenIds];
  const endings = { tokenIds: new Set(endTokenIds), minTokens: stop.minTokens };
  return new Sequence({
    id: toSequenceId(firstId + index),
    index,
    promptTokenIds: tokenIds,
    answerStart,
    seed: sampling.seed,
    chooser: new TokenChooser({
      ...{ sampling, answerStart, scratch, endings, tokenIds },
      topLogprobs: logprobTokenIds.length > 0 ? logprobTokenIds : topLogprobs,
      isMasked: openConstraint !== undefined,
    }),
    answer,
    events,
    expertUse: isDetailed ? new ExpertUseLog() : undefined,
    clientId: scheduling.clientId,
    priority: scheduling.priority,
    prefix: scope === undefined ? undefined : new PrefixChain(scope, blockSizeTokens),
    routedExperts: output.routedExperts === true ? new RoutedExpertsLog(model) : undefined,
    promptScore:
      promptTopLogprobs === undefined || !tellsPrompt
        ? undefined
        : new PromptScore(tokenIds.subarray(0, answerStart), promptTopLogprobs),
    reportsProgress: output.progress === true && tellsPrompt,
    saysNothing: stop.maxTokens === 0,
    openConstraint,
    // What a constraint lets through is known only token by token.
    drafter:
      context.draftTokensMax === undefined || openConstraint !== undefined
        ? undefined
        : new Drafter(context.draftTokensMax),
    vocabSize,
    // The last token is never fed back, so its keys and values are never written.
    reservedTokens: answerStart + Math.max(1, stop.maxTokens) - 1,
    submittedMs,
    deadlineMs: shared.deadlineMs,
    onEnded,
  });
}

/**
 * Who finds a request's blocks. Of tokens that others computed, nobody knows logits or experts any
 * more; but the answers of one request may share what only the first has to tell of.
 */
function prefixScope(
  { prefixCache, cacheSalt }: SchedulingParams,
  request: { id: number; numAnswers: number; output: OutputRequest },
): PrefixScope | undefined {
  const { promptTopLogprobs, routedExperts } = request.output;
  if (routedExperts === true) return undefined;
  if (prefixCache && promptTopLogprobs === undefined) return { kind: "salt", salt: cacheSalt };
  return request.numAnswers > 1 ? { kind: "request", requestNumber: request.id } : undefined;
}
