// One Generate call: from the request to the end of its stream.
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServerWritableStream } from "@grpc/grpc-js";
import type { Engine, GenerateEvent } from "@octet/engine";
import { FinishReason, type GenerateRequest, type GenerateResponseSchema } from "@octet/protocol";
import type { Logger } from "@octet/telemetry";
import type { Tokenizer } from "@octet/tokenizer";
import { requireModel } from "./model-info.ts";
import { toPromptTokenIds } from "./prompt.ts";
import { isOurFault, toStatus } from "./request-error.ts";

/** What a Generate call runs on. */
export interface GenerateContext {
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
  readonly modelName: string;
  readonly vocabSize: number;
  readonly log: Logger;
}

type Response = MessageInitShape<typeof GenerateResponseSchema>;
type Call = ServerWritableStream<GenerateRequest, Response>;

/**
 * Streams one answer. The call's end by the client, or its deadline, cancels the sequence; a client
 * that reads slowly holds back only its own stream.
 */
export async function handleGenerate(call: Call, context: GenerateContext): Promise<void> {
  const requestId = randomUUID();
  const log = context.log.child({ requestId });
  const abort = new AbortController();
  call.on("cancelled", () => abort.abort());
  // A broken stream ends in "cancelled" too; without a listener it would end the process.
  call.on("error", () => abort.abort());
  try {
    requireModel(call.request.model, context.modelName);
    const promptTokenIds = toPromptTokenIds(call.request.input, context.tokenizer, {
      addBos: true,
      vocabSize: context.vocabSize,
    });
    const about = { requestId, model: context.modelName, promptTokenIds };
    for await (const event of openAnswer(call.request, promptTokenIds, context, abort.signal)) {
      const message = toMessage(event, about, call.request.details);
      if (!call.write(message) && !abort.signal.aborted) {
        await once(call, "drain", { signal: abort.signal });
      }
    }
    call.end();
  } catch (error) {
    if (abort.signal.aborted) {
      log.debug("request cancelled");
      call.end();
      return;
    }
    if (isOurFault(error)) {
      log.error("request failed", {
        errorCode: "internal",
        detail: error instanceof Error ? error.message : String(error),
        ...(error instanceof Error ? { stack: error.stack } : {}),
      });
    }
    call.emit("error", toStatus(error));
  }
}

function openAnswer(
  request: GenerateRequest,
  promptTokenIds: Int32Array,
  context: GenerateContext,
  signal: AbortSignal,
): AsyncIterable<GenerateEvent> {
  const { sampling, stop } = request;
  return context.engine.generate({
    promptTokenIds,
    sampling: {
      temperature: sampling?.temperature,
      topK: sampling?.topK,
      topP: sampling?.topP,
      minP: sampling?.minP,
      seed: sampling?.seed,
    },
    stop: {
      maxTokens: stop?.maxTokens,
      strings: stop?.strings,
      ignoreEos: stop?.ignoreEos,
    },
    // The space that separates an answer from a text is part of it; a reply begins without one.
    decoder: context.tokenizer.createStreamDecoder({
      continuesText: request.input.case !== "chat",
    }),
    details: request.details,
    signal,
  });
}

function toMessage(
  event: GenerateEvent,
  about: { requestId: string; model: string; promptTokenIds: Int32Array },
  details: boolean,
): Response {
  switch (event.kind) {
    case "started":
      return {
        event: {
          case: "started",
          value: {
            requestId: about.requestId,
            model: about.model,
            seed: event.seed,
            promptTokens: event.promptTokens,
            promptTokenIds: details ? Array.from(about.promptTokenIds) : [],
          },
        },
      };
    case "delta":
      return {
        event: {
          case: "delta",
          value: { text: event.text, tokenIds: details ? [...event.tokenIds] : [] },
        },
      };
    case "finished":
      return { event: { case: "finished", value: toFinished(event) } };
  }
}

const reasons = {
  "end-of-sequence": FinishReason.END_OF_SEQUENCE,
  stop: FinishReason.STOP,
  length: FinishReason.LENGTH,
} as const;

function toFinished(event: Extract<GenerateEvent, { kind: "finished" }>) {
  return {
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
  };
}
