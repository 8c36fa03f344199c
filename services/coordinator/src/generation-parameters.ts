// What a request asks of the engine, in the engine's words. Generate and Chat share it.
import type { OutputRequest, SamplingRequest, SchedulingRequest, StopRequest } from "@octet/engine";
import type { OutputParams, SamplingParams, SchedulingParams, StopParams } from "@octet/protocol";

/** How tokens are chosen; what the request leaves out stays undefined. */
export function toSampling(sampling: SamplingParams | undefined): SamplingRequest {
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
  };
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
    promptTopLogprobs: output?.promptTopLogprobs,
    routedExperts: output?.routedExperts,
    progress: output?.progress,
  };
}
