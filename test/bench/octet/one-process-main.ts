// A model in one process that stays up and answers questions. Started by OneProcessOctet.
import assert from "node:assert/strict";
import type { ModelConfig } from "@octet/core";
import { createEngine, type Engine, type ExpertClient } from "@octet/engine";
import { answerRequests } from "../harness/requests.ts";
import type { DecodeRequest, DecodeResult, PrefillResult } from "../harness/text-generator.ts";
import { type StreamTokens, timeDecode, timePrefill } from "./generate-side-by-side.ts";
import { type OneProcess, type OneProcessOptions, openOneProcess } from "./open-one-process.ts";
import { stepLogits } from "./step-logits.ts";
import { type GapRequest, type GapResult, timeTokenGaps } from "./time-token-gaps.ts";

let opened: OneProcess | undefined;
let engine: Engine | undefined;
let expertCalls = 0;
/** Of the answer that ended last. */
let cachedTokens = 0;

/** At once, as in a coordinator. */
const sequencesMax = 64;

/** Texts cost something to make; here nobody reads them. */
const noDecoder = { push: () => "", flush: () => "" };

const stream: StreamTokens = async function* (promptTokenIds, maxTokens, { prefixCache }) {
  const events = engine!.generate({
    promptTokenIds,
    sampling: { temperature: 0 },
    stop: { maxTokens, ignoreEos: true },
    decoder: noDecoder,
    scheduling: { prefixCache },
  });
  for await (const event of events) {
    if (event.kind === "delta") yield event.tokenIds;
    if (event.kind === "finished") cachedTokens = event.usage.cachedPromptTokens;
  }
};

const answers = {
  async open(options: OneProcessOptions): Promise<{ device: string; model: ModelConfig }> {
    opened = await openOneProcess(options);
    const { attention } = opened;
    engine = createEngine({ attention, experts: countCalls(opened.experts) });
    return { device: attention.device, model: attention.model };
  },

  async prefill(promptTokenIds: readonly number[]): Promise<PrefillResult> {
    const result = await timePrefill(stream, promptTokenIds);
    assert.equal(cachedTokens, 0, "the whole prompt is computed");
    return result;
  },

  /** expertCalls: of all the timed steps, one for each expert of a layer that had rows. */
  async decode(request: DecodeRequest): Promise<DecodeResult & { expertCalls: number }> {
    const onDecoding = () => {
      expertCalls = 0;
    };
    const result = await timeDecode(stream, request, { onDecoding });
    return { ...result, expertCalls };
  },

  /** Steps of at most so many tokens from now on, or of the engine's default. */
  async limitSteps(stepTokensMax: number | null): Promise<void> {
    await engine!.close();
    const { attention, experts } = opened!;
    // No more sequences than a step has tokens.
    const limits =
      stepTokensMax === null
        ? {}
        : { stepTokensMax, activeSequencesMax: Math.min(stepTokensMax, sequencesMax) };
    engine = createEngine({ attention, experts: countCalls(experts), limits });
  },

  async tokenGaps(request: GapRequest): Promise<GapResult> {
    return await timeTokenGaps(stream, request);
  },

  /** [t, V] f32 in base64: logits after each token. */
  async logits(tokenIds: readonly number[]): Promise<string> {
    const logits = await stepLogits(opened!, tokenIds);
    return Buffer.from(logits.buffer, logits.byteOffset, logits.byteLength).toString("base64");
  },
};

/** What the parent may ask. */
export type OneProcessAnswers = typeof answers;

function countCalls(experts: ExpertClient): ExpertClient {
  return {
    forward: (question, options) => {
      expertCalls++;
      return experts.forward(question, options);
    },
    close: () => experts.close(),
  };
}

await answerRequests(answers);
await engine?.close();
await opened?.[Symbol.asyncDispose]();
