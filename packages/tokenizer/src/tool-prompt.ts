// Tools for a model whose tokenizer has no tokens for them: lists, calls and results are text.
import type { ChatMessage } from "./chat-template.ts";
import { TokenizerError } from "./tokenizer-error.ts";

/** A function that the model may ask its caller to run. */
export interface ToolDefinition {
  readonly name: string;
  readonly description?: string | undefined;
  /** A JSON Schema, as JSON text, of the one object it takes. Without it, any object will do. */
  readonly parametersJsonSchema?: string | undefined;
}

/**
 * - auto: text, calls, or text and then calls
 * - none: text; the model is not told of the tools
 * - required: calls, of whichever tools
 * - named: calls of this one tool
 */
export type ToolChoice =
  | { readonly kind: "auto" | "none" | "required" }
  | { readonly kind: "named"; readonly name: string };

/** One call, whole. */
export interface ToolCall {
  /** The server's are nine of [a-zA-Z0-9]; a conversation's own may be any text. */
  readonly id: string;
  readonly name: string;
  /** One JSON object. */
  readonly argumentsJson: string;
}

/** A message of a conversation in which tools were called. */
export interface ToolChatMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string;
  /** What an assistant's message called, after its content. */
  readonly toolCalls?: readonly ToolCall[] | undefined;
  /** Of a tool's message: which call it answers. */
  readonly toolCallId?: string | undefined;
}

/** What an answer writes before its list of calls. Plain text to the tokenizer. */
export const toolCallsMarker = "[TOOL_CALLS]";

const resultsMarker = "[TOOL_RESULTS]";

/**
 * The conversation as one that any chat template takes: the tools are told of in the system message,
 * past calls stand in the assistant's text as it wrote them, and results are the user's next words.
 * Ids, whoever made them, become the place of their call in the list before.
 *
 * @throws {TokenizerError} "bad-messages", with the index of a message whose calls or results do
 *   not fit
 */
export function renderTools(
  messages: readonly ToolChatMessage[],
  tools: readonly ToolDefinition[],
  choice: ToolChoice,
): ChatMessage[] {
  const rendered = joinUserTurns(renderCalls(messages));
  if (choice.kind === "none" || tools.length === 0) return rendered;
  const listed = describeTools(tools);
  const [first] = rendered;
  if (first?.role !== "system") return [{ role: "system", content: listed }, ...rendered];
  const content = first.content === "" ? listed : `${first.content}\n\n${listed}`;
  return [{ role: "system", content }, ...rendered.slice(1)];
}

/** An answer with calls, as the model writes it and as it stands in its later prompts. */
export function renderToolCalls(content: string, calls: readonly ToolCall[]): string {
  const list = calls.map(
    (call) => `{"name": ${JSON.stringify(call.name)}, "arguments": ${call.argumentsJson}}`,
  );
  return `${content}${toolCallsMarker}[${list.join(", ")}]`;
}

function describeTools(tools: readonly ToolDefinition[]): string {
  const list = tools.map(({ name, description, parametersJsonSchema }) => {
    const parts = [`"name": ${JSON.stringify(name)}`];
    if (description !== undefined && description !== "") {
      parts.push(`"description": ${JSON.stringify(description)}`);
    }
    if (parametersJsonSchema !== undefined) parts.push(`"parameters": ${parametersJsonSchema}`);
    return `{${parts.join(", ")}}`;
  });
  return (
    `You can call these tools:\n[${list.join(",\n")}]\n` +
    `To call some, end your answer with ${toolCallsMarker} and a list of calls, like this:\n` +
    `${toolCallsMarker}[{"name": "TOOL", "arguments": {"PARAMETER": "VALUE"}}]\n` +
    `Their results will follow as ${resultsMarker}.`
  );
}

/** Calls are numbered from 1 in the list that a result refers to. */
type OpenCalls = Map<string, { readonly place: number; readonly name: string }>;

function renderCalls(messages: readonly ToolChatMessage[]): ChatMessage[] {
  let open: OpenCalls = new Map();
  return messages.map((message, messageIndex) => {
    const { role, content, toolCalls = [] } = message;
    if (role === "tool") {
      return { role: "user", content: renderResult(message, open, messageIndex) };
    }
    if (toolCalls.length > 0 && role !== "assistant") {
      refuse(messageIndex, `calls in an assistant's message, found some in role ${role}`);
    }
    if (role !== "assistant") return { role, content };
    open = new Map();
    toolCalls.forEach((call, i) => {
      requireObject(call.argumentsJson, messageIndex, i);
      if (open.has(call.id)) refuse(messageIndex, "ids that differ, found one twice");
      open.set(call.id, { place: i + 1, name: call.name });
    });
    return { role, content: toolCalls.length > 0 ? renderToolCalls(content, toolCalls) : content };
  });
}

function renderResult(message: ToolChatMessage, open: OpenCalls, messageIndex: number): string {
  const call = open.get(message.toolCallId ?? "");
  if (call === undefined) {
    refuse(messageIndex, "the id of a call in the assistant's message before, found none such");
  }
  const result = { call: call.place, name: call.name, content: message.content };
  return `${resultsMarker}${JSON.stringify(result)}`;
}

function requireObject(json: string, messageIndex: number, callIndex: number): void {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    value = undefined;
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  refuse(messageIndex, `a JSON object as the arguments of call ${callIndex}, found none`);
}

/** Results, and what the user said after them, are one turn: templates want the roles to alternate. */
function joinUserTurns(messages: readonly ChatMessage[]): ChatMessage[] {
  const joined: ChatMessage[] = [];
  for (const message of messages) {
    const last = joined.at(-1);
    if (
      message.role !== "user" ||
      last?.role !== "user" ||
      !last.content.startsWith(resultsMarker)
    ) {
      joined.push(message);
      continue;
    }
    joined[joined.length - 1] = { role: "user", content: `${last.content}\n${message.content}` };
  }
  return joined;
}

function refuse(messageIndex: number, expectedAndFound: string): never {
  const detail = `message ${messageIndex}: expected ${expectedAndFound}`;
  throw new TokenizerError("bad-messages", detail, { messageIndex });
}
