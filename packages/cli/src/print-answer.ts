// Streams one answer to standard output, and says what a script may want to know.
import type { GenerateEvent } from "@octet/client";
import {
  FinishReason,
  type GenerateFinished,
  type RoutedExperts,
  type TokenLogprob,
  type TokenLogprobs,
} from "@octet/protocol";

/** What was learnt while an answer streamed. */
export interface PrintedAnswer {
  readonly text: string;
  readonly tokenIds: readonly number[];
  readonly promptTokenIds: readonly number[];
  readonly requestId: string;
  readonly model: string;
  readonly seed: bigint;
  /** One for each token; empty if they were not asked for. */
  readonly logprobs: readonly TokenLogprobs[];
  readonly promptLogprobs: readonly TokenLogprobs[];
  readonly finished: GenerateFinished | undefined;
}

/** Collects the stream, handing each piece of text to `onText` as it comes. */
export async function readAnswer(
  events: AsyncIterable<GenerateEvent>,
  onText: (text: string) => void,
): Promise<PrintedAnswer> {
  let text = "";
  const tokenIds: number[] = [];
  let promptTokenIds: readonly number[] = [];
  let [requestId, model, seed] = ["", "", 0n];
  const logprobs: TokenLogprobs[] = [];
  const promptLogprobs: TokenLogprobs[] = [];
  let finished: GenerateFinished | undefined;
  for await (const event of events) {
    switch (event.case) {
      case "started":
        ({ requestId, model, seed, promptTokenIds } = event.value);
        break;
      case "delta":
        text += event.value.text;
        for (const id of event.value.tokenIds) tokenIds.push(id);
        for (const scores of event.value.logprobs) logprobs.push(scores);
        if (event.value.text !== "") onText(event.value.text);
        break;
      case "promptLogprobs":
        for (const scores of event.value.tokens) promptLogprobs.push(scores);
        break;
      case "progress":
        break;
      case "finished":
        finished = event.value;
        break;
    }
  }
  const about = { requestId, model, seed, finished };
  return { text, tokenIds, promptTokenIds, logprobs, promptLogprobs, ...about };
}

/** The answer as one JSON object, for `--json`. Durations in ms. */
export function toJson(answer: PrintedAnswer): object {
  const { finished } = answer;
  return {
    requestId: answer.requestId,
    model: answer.model,
    text: answer.text,
    tokenIds: answer.tokenIds,
    promptTokenIds: answer.promptTokenIds,
    seed: answer.seed.toString(),
    finishReason: finished === undefined ? undefined : reasonName(finished.reason),
    stopString: finished?.stopString || undefined,
    stopTokenId: finished?.stopTokenId,
    usage: {
      promptTokens: finished?.promptTokens ?? answer.promptTokenIds.length,
      completionTokens: finished?.completionTokens ?? answer.tokenIds.length,
    },
    timings: timingsOf(finished),
    logprobs: answer.logprobs.length > 0 ? answer.logprobs.map(scoresToJson) : undefined,
    promptLogprobs:
      answer.promptLogprobs.length > 0 ? answer.promptLogprobs.map(scoresToJson) : undefined,
    routedExperts: routingToJson(finished?.routedExperts),
    experts: finished?.experts.map((use) => ({
      expertId: use.expertId,
      workerId: use.workerId,
      address: use.address,
      calls: Number(use.calls),
      rows: Number(use.rows),
      queuedMs: Number(use.queuedUs) / 1000,
      computedMs: Number(use.computedUs) / 1000,
    })),
  };
}

function scoresToJson({ chosen, top, rank }: TokenLogprobs): object {
  return { ...scoreToJson(chosen), rank, top: top.map(scoreToJson) };
}

function scoreToJson(score: TokenLogprob | undefined): object {
  if (score === undefined) return {};
  const { tokenId, logprob, bytes, text } = score;
  return { tokenId, logprob, bytes: Array.from(bytes), text };
}

/** [token][layer]: the experts, by falling weight. */
function routingToJson(routed: RoutedExperts | undefined): number[][][] | undefined {
  if (routed === undefined) return undefined;
  const { numTokens, numLayers, numExpertsPerToken: K, expertIds } = routed;
  return Array.from({ length: numTokens }, (_, token) =>
    Array.from({ length: numLayers }, (_, layer) => {
      const from = (token * numLayers + layer) * K;
      return Array.from(expertIds.subarray(from, from + K));
    }),
  );
}

/** "12 tokens in 0.4 s (30.0 tokens/s), prompt 5 tokens in 0.1 s" */
export function summarise(answer: PrintedAnswer): string {
  const { finished } = answer;
  const timings = timingsOf(finished);
  if (finished === undefined || timings === undefined) return "no summary";
  const rate = timings.tokensPerSecond;
  const speed = rate === undefined ? "" : ` (${rate.toFixed(1)} tokens/s)`;
  return (
    `${finished.completionTokens} tokens in ${(timings.decodeMs / 1000).toFixed(2)} s${speed}; ` +
    `prompt of ${finished.promptTokens} tokens in ${(timings.prefillMs / 1000).toFixed(2)} s; ` +
    `ended by ${reasonName(finished.reason)}`
  );
}

function timingsOf(finished: GenerateFinished | undefined) {
  if (finished?.timings === undefined) return undefined;
  const { queuedUs, prefillUs, decodeUs } = finished.timings;
  const decodeMs = Number(decodeUs) / 1000;
  // The first token ends the prefill, so decode makes one token fewer.
  const decoded = finished.completionTokens - 1;
  return {
    queuedMs: Number(queuedUs) / 1000,
    prefillMs: Number(prefillUs) / 1000,
    decodeMs,
    tokensPerSecond: decoded > 0 && decodeMs > 0 ? (decoded / decodeMs) * 1000 : undefined,
  };
}

const reasonNames: Readonly<Record<number, string>> = {
  [FinishReason.END_OF_SEQUENCE]: "end-of-sequence",
  [FinishReason.STOP]: "stop",
  [FinishReason.LENGTH]: "length",
  [FinishReason.TOOL_CALLS]: "tool-calls",
};

/** A newer server may send a reason that this client does not know. */
function reasonName(reason: FinishReason): string {
  return reasonNames[reason] ?? "unknown";
}
