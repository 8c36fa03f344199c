// One Chat call: from the conversation to the reply's events.
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { GenerateEvent } from "@octet/engine";
import type { ChatRequest, ChatResponseSchema } from "@octet/protocol";
import type { AnswerCall } from "./answer-call.ts";
import { type GenerateContext, startGeneration } from "./generation.ts";
import { type AboutRequest, toDelta, toFinished, toStarted } from "./generation-events.ts";
import { requireModel } from "./model-info.ts";
import { toChatPrompt } from "./prompt.ts";
import { RequestError } from "./request-error.ts";

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
  if (request.output?.promptTopLogprobs !== undefined) {
    throw new RequestError(
      "invalid_parameter",
      "output.prompt_top_logprobs: expected none in Chat, found some; Generate has them",
      { field: "output.prompt_top_logprobs" },
    );
  }
  const prompt = toChatPrompt(request.messages, tokenizer, "messages");
  const { requestId } = call;
  const about = {
    requestId,
    model,
    promptTokenIds: prompt.tokenIds,
    details: request.details,
    tokenizer,
  };
  for await (const event of startGeneration(prompt, request, call, context)) {
    // Not asked for: what a conversation's prompt consists of is the template's affair.
    if (event.kind !== "prompt-logprobs") yield toMessage(event, about);
  }
}

type ChatEvent = Exclude<GenerateEvent, { kind: "prompt-logprobs" }>;

function toMessage(event: ChatEvent, about: AboutRequest): Response {
  switch (event.kind) {
    case "started":
      return { event: { case: "started", value: toStarted(event, about) } };
    case "delta":
      return { event: { case: "delta", value: toDelta(event, about) } };
    case "progress":
      return { event: { case: "progress", value: event } };
    case "finished":
      return { event: { case: "finished", value: toFinished(event) } };
  }
}
