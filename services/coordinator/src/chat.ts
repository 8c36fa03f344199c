// One Chat call: from the conversation to the reply's events.
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { GenerateEvent } from "@octet/engine";
import type { ChatRequest, ChatResponseSchema } from "@octet/protocol";
import type { AnswerCall } from "./answer-call.ts";
import { type GenerateContext, startGeneration } from "./generation.ts";
import { type AboutRequest, toDelta, toFinished, toStarted } from "./generation-events.ts";
import { requireModel } from "./model-info.ts";
import { toChatPrompt } from "./prompt.ts";

type Response = MessageInitShape<typeof ChatResponseSchema>;

/**
 * The messages of one reply.
 *
 * @throws {RequestError | TokenizerError | EngineError} from the first `next()` or a later one
 */
export async function* chat(
  request: ChatRequest,
  call: AnswerCall,
  context: GenerateContext,
): AsyncGenerator<Response, void> {
  const { tokenizer, modelName: model } = context;
  requireModel(request.model, model);
  const prompt = toChatPrompt(request.messages, tokenizer, "messages");
  const { requestId } = call;
  const about = { requestId, model, promptTokenIds: prompt.tokenIds, details: request.details };
  for await (const event of startGeneration(prompt, request, call, context)) {
    yield toMessage(event, about);
  }
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
