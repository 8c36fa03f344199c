// One Generate call: from the request to its events.
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { GenerateEvent } from "@octet/engine";
import type { GenerateRequest, GenerateResponseSchema } from "@octet/protocol";
import type { AnswerCall } from "./answer-call.ts";
import { checkConstraint, toSpec } from "./constraint-request.ts";
import { aboutRequest, type GenerateContext, startGeneration } from "./generation.ts";
import {
  type AboutRequest,
  toDelta,
  toFinished,
  toPromptLogprobs,
  toStarted,
} from "./generation-events.ts";
import { requireModel } from "./model-info.ts";
import { boundOf, toPrompt, truncatePrompt } from "./prompt.ts";

type Response = MessageInitShape<typeof GenerateResponseSchema>;

/**
 * The messages of one answer.
 *
 * @throws {RequestError | TokenizerError | EngineError} from the first `next()` or a later one
 */
export async function* generate(
  request: GenerateRequest,
  call: AnswerCall,
  context: GenerateContext,
): AsyncGenerator<Response, void> {
  const { tokenizer, vocabSize } = context;
  requireModel(request.model, context.modelName);
  const whole = toPrompt(request.input, tokenizer, { addBos: true, vocabSize });
  const prompt = truncatePrompt(whole, boundOf(request), context);
  const about = aboutRequest(request, prompt, call, context);
  const checked = await checkConstraint(toSpec(request.constraint), context.constraints);
  for await (const event of startGeneration(prompt, request, call, context, checked)) {
    yield toMessage(event, about);
  }
}

function toMessage(event: GenerateEvent, about: AboutRequest): Response {
  switch (event.kind) {
    case "started":
      return { event: { case: "started", value: toStarted(event, about) } };
    case "delta":
      return { event: { case: "delta", value: toDelta(event, about) } };
    case "progress":
      return { event: { case: "progress", value: event } };
    case "prompt-logprobs":
      return { event: { case: "promptLogprobs", value: toPromptLogprobs(event, about) } };
    case "finished":
      return { event: { case: "finished", value: toFinished(event, about) } };
  }
}
