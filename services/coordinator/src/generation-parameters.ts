// What a request asks of the engine, in the engine's words. Generate and Chat share it.
import { badWordsMax, badWordTokensMax } from "@octet/core";
import type { OutputRequest, SamplingRequest, SchedulingRequest, StopRequest } from "@octet/engine";
import type { OutputParams, SamplingParams, SchedulingParams, StopParams } from "@octet/protocol";
import type { Tokenizer } from "@octet/tokenizer";
import { RequestError } from "./request-error.ts";

/** Longest text of one word that an answer may not say: each token spells at least a part. */
const badWordLengthMax = badWordTokensMax * 16;

/** How tokens are chosen; what the request leaves out stays undefined. */
export function toSampling(
  sampling: SamplingParams | undefined,
  tokenizer: Tokenizer,
): SamplingRequest {
  return {
    temperature: sampling?.temperature,
    topK: sampling?.topK,
    topP: sampling?.topP,
    minP: sampling?.minP,
    seed: sampling?.seed,
    repetitionPenalty: sampling?.repetitionPenalty,
    presencePenalty: sampling?.presencePenalty,
    frequencyPenalty: sampling?.frequencyPenalty,
    logitBias: toBias(sampling?.logitBias ?? {}),
    // On the wire, none at all is the same as unset.
    allowedTokenIds: sampling?.allowedTokenIds.length ? sampling.allowedTokenIds : undefined,
    badWords: toBadWords(sampling?.badWords ?? [], tokenizer),
  };
}

/**
 * Each word as a text's beginning spells it, and as it is spelled after a space if that is another
 * first token and as many of them.
 *
 * @throws {RequestError} for too many, or one that is too long to be spelled
 * @see vllm 3e34265, vllm/sampling_params.py, SamplingParams.update_from_tokenizer
 */
function toBadWords(words: readonly string[], tokenizer: Tokenizer): number[][] {
  if (words.length > badWordsMax) {
    throw refuseBadWords(`at most ${badWordsMax} words, found ${words.length}`);
  }
  return words.flatMap((word) => {
    if (word.length > badWordLengthMax) {
      throw refuseBadWords(`words of at most ${badWordLengthMax} characters, found ${word.length}`);
    }
    const bare = word.trimStart();
    if (bare === "") throw refuseBadWords("words, found one of white space");
    const plain = [...tokenizer.encode(bare)];
    const spaced = [...tokenizer.encode(` ${bare}`)];
    const isOther = spaced[0] !== plain[0] && spaced.length === plain.length;
    return isOther ? [plain, spaced] : [plain];
  });
}

function refuseBadWords(wanted: string): RequestError {
  const field = "sampling.bad_words";
  return new RequestError("invalid_parameter", `bad_words: expected ${wanted}`, { field });
}

/** A map's keys are text in JavaScript. */
function toBias(biases: SamplingParams["logitBias"]): [number, number][] {
  return Object.entries(biases).map(([tokenId, bias]) => [Number(tokenId), bias]);
}

/** Where the answer ends; what the request leaves out stays undefined. */
export function toStop(stop: StopParams | undefined): StopRequest {
  return {
    maxTokens: stop?.maxTokens,
    strings: stop?.strings,
    ignoreEos: stop?.ignoreEos,
    tokenIds: stop?.tokenIds,
    minTokens: stop?.minTokens,
    includeStopString: stop?.includeStopString,
  };
}

/** How the request is treated beside others; what it leaves out stays undefined. */
export function toScheduling(scheduling: SchedulingParams | undefined): SchedulingRequest {
  return {
    clientId: scheduling?.clientId,
    priority: scheduling?.priority,
    cacheSalt: scheduling?.cacheSalt,
    prefixCache: scheduling?.prefixCache,
  };
}

/** What the answer carries besides its text. */
export function toOutput(output: OutputParams | undefined): OutputRequest {
  return {
    topLogprobs: output?.topLogprobs,
    logprobTokenIds: output?.logprobTokenIds,
    promptTopLogprobs: output?.promptTopLogprobs,
    routedExperts: output?.routedExperts,
    progress: output?.progress,
  };
}
