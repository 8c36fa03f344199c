// One Generate call: from the request to its events.
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Engine, GenerateEvent } from "@octet/engine";
import type { GenerateRequest, GenerateResponseSchema } from "@octet/protocol";
import type { Tokenizer } from "@octet/tokenizer";
import type { AnswerCall } from "./answer-call.ts";
import { type AboutRequest, toDelta, toFinished, toStarted } from "./generation-events.ts";
import { toSampling, toStop } from "./generation-parameters.ts";
import { requireModel } from "./model-info.ts";
import { toPromptTokenIds } from "./prompt.ts";

/** What answers are generated with. */
export interface GenerateContext {
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
  readonly modelName: string;
  readonly vocabSize: number;
}

type Response = MessageInitShape<typeof GenerateResponseSchema>;

/**
 * The messages of one answer.
 *
 * @throws {RequestError | TokenizerError | EngineError} from the first `next()` or a later one
 */
export async function* generate(
  request: GenerateRequest,
  { requestId, signal }: AnswerCall,
  context: GenerateContext,
): AsyncGenerator<Response, void> {
  const { engine, tokenizer, modelName: model, vocabSize } = context;
  requireModel(request.model, model);
  const promptTokenIds = toPromptTokenIds(request.input, tokenizer, { addBos: true, vocabSize });
  const about = { requestId, model, promptTokenIds, details: request.details };
  const events = engine.generate({
    promptTokenIds,
    sampling: toSampling(request.sampling),
    stop: toStop(request.stop),
    // The space that separates an answer from a text is part of it; a reply begins without one.
    decoder: tokenizer.createStreamDecoder({ continuesText: request.input.case !== "chat" }),
    details: request.details,
    signal,
  });
  for await (const event of events) yield toMessage(event, about);
}

function toMessage(event: GenerateEvent, about: AboutRequest): Response {
  switch (event.kind) {
    case "started":
      return { event: { case: "started", value: toStarted(event, about) } };
    case "delta":
      return { event: { case: "delta", value: toDelta(event, about) } };
    case "finished":
      return { event: { case: "finished", value: toFinished(event) } };
  }
}
