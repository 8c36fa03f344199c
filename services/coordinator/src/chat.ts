// One Chat call: from the conversation to the reply's events.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { ToolCallParser } from "@octet/constraint";
import type { GenerateEvent } from "@octet/engine";
import { type ChatRequest, type ChatResponseSchema, FinishReason } from "@octet/protocol";
import type { AnswerCall } from "./answer-call.ts";
import { checkConstraint, toSpec, toToolSpec, toTools } from "./constraint-request.ts";
import { aboutRequest, type GenerateContext, startGeneration } from "./generation.ts";
import {
  type AboutRequest,
  toDelta,
  toFinished,
  toPromptLogprobs,
  toStarted,
} from "./generation-events.ts";
import { requireModel } from "./model-info.ts";
import { boundOf, toChatPrompt, truncatePrompt } from "./prompt.ts";

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
  const { tokenizer, constraints } = context;
  requireModel(request.model, context.modelName);
  const tools = toTools(request);
  const toolSpec = toToolSpec(tools, request);
  const whole = toChatPrompt(request.messages, tokenizer, "messages", tools);
  const prompt = truncatePrompt(whole, boundOf(request), context);
  const checked = await checkConstraint(toolSpec ?? toSpec(request.constraint), constraints);
  const about = aboutRequest(request, prompt, call, context);
  const events = startGeneration(prompt, request, call, context, checked);
  if (toolSpec !== undefined) yield* withToolCalls(events, about);
  else {
    for await (const event of events) yield toMessage(event, about);
  }
}

/** The reply's text, with the calls taken out of it. */
async function* withToolCalls(
  events: AsyncIterable<GenerateEvent>,
  about: AboutRequest,
): AsyncGenerator<Response, void> {
  let scope = "";
  /** By the answer's index. */
  const parsers = new Map<number, ToolCallParser>();
  const parserOf = (index: number): ToolCallParser => {
    const parser = parsers.get(index) ?? new ToolCallParser(`${scope}/${index}`);
    parsers.set(index, parser);
    return parser;
  };
  for await (const event of events) {
    // The same request gives the same ids, and the next turn of a conversation gives others.
    if (event.kind === "started") scope = `${event.seed}/${event.promptTokens}`;
    if (event.kind === "delta") {
      const { text, toolCalls } = parserOf(event.index).push(event.text);
      const value = { ...toDelta({ ...event, text }, about), toolCalls: [...toolCalls] };
      yield { event: { case: "delta", value } };
    } else if (event.kind === "finished") {
      const { index } = event;
      const { text } = parserOf(index).end();
      if (text !== "") yield { event: { case: "delta", value: { index, text } } };
      const finished = toFinished(event, about);
      const hasCalled = event.reason === "end-of-sequence" && parserOf(index).hasCalls;
      const value = hasCalled ? { ...finished, reason: FinishReason.TOOL_CALLS } : finished;
      yield { event: { case: "finished", value } };
    } else yield toMessage(event, about);
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
