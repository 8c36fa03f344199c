// How many tokens an answer took, and how long.
import type { GenerateFinished } from "@octet/protocol";

/** Tokens of all choices together. */
export function toUsage(finished: readonly GenerateFinished[]) {
  const prompt_tokens = promptsOf(finished).reduce((sum, one) => sum + one.promptTokens, 0);
  const completion_tokens = finished.reduce((sum, one) => sum + one.completionTokens, 0);
  const truncated_tokens = promptsOf(finished).reduce(
    (sum, one) => sum + one.truncatedPromptTokens,
    0,
  );
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens: prompt_tokens + completion_tokens,
    prompt_tokens_details: {
      cached_tokens: cachedTokens(finished),
      ...(truncated_tokens > 0 ? { truncated_tokens } : {}),
    },
  };
}

/** llama-server's names, by the coordinator's clock; of several choices, the slowest. */
export function toTimings(finished: readonly GenerateFinished[]) {
  const slowestMs = (of: "queuedUs" | "prefillUs" | "decodeUs") =>
    Math.max(0, ...finished.map(({ timings }) => Number(timings?.[of] ?? 0n))) / 1000;
  const { prompt_tokens, completion_tokens } = toUsage(finished);
  const cache_n = cachedTokens(finished);
  const prompt_n = prompt_tokens - cache_n;
  const promptMs = slowestMs("prefillUs");
  const predictedMs = slowestMs("decodeUs");
  return {
    queued_ms: slowestMs("queuedUs"),
    cache_n,
    prompt_n,
    prompt_ms: promptMs,
    prompt_per_second: perSecond(prompt_n, promptMs),
    predicted_n: completion_tokens,
    predicted_ms: predictedMs,
    predicted_per_second: perSecond(completion_tokens, predictedMs),
  };
}

/** One of the answers to each prompt: they share its computation. */
function promptsOf(finished: readonly GenerateFinished[]): readonly GenerateFinished[] {
  return finished.filter(({ index }) => index === 0);
}

/** Tokens of prompts that were found computed. */
function cachedTokens(finished: readonly GenerateFinished[]): number {
  return promptsOf(finished).reduce((sum, one) => sum + one.cachedPromptTokens, 0);
}

/** 0 where no time passed: JSON has no infinity. */
function perSecond(count: number, ms: number): number {
  return ms === 0 ? 0 : (count * 1000) / ms;
}
