// What happens to a conversation before and around its template: system prompts, limits, blame.
import type { ChatMessage, ChatPart, ChatTemplate } from "./chat-template.ts";
import { TokenizerError } from "./tokenizer-error.ts";

/** Most messages one conversation may have: at four tokens each, more than any context holds. */
export const chatMessagesMax = 16_384;

/** What joins two messages that become one, as mistral-common does. */
const seam = "\n\n";

/** A message as the template is shown it, and where it, or its first part, stood. */
interface ShownMessage extends ChatMessage {
  readonly index: number;
}

/** Renders conversations, changed as little as makes the template take them. */
export class Conversation {
  readonly #template: ChatTemplate;
  readonly #takesSystem: boolean;
  readonly #takesNeighbours: boolean;

  constructor(template: ChatTemplate) {
    this.#template = template;
    const system = { role: "system", content: "system" } as const;
    const user = { role: "user", content: "user" } as const;
    const assistant = { role: "assistant", content: "assistant" } as const;
    this.#takesSystem = template.canRender([system, user]);
    this.#takesNeighbours =
      template.canRender([user, user]) && template.canRender([user, assistant, assistant, user]);
  }

  /**
   * If the template refuses two messages of one role in a row, neighbours become one, with an empty
   * line between. If it refuses system messages, or would drop them, a first one goes in front of
   * the first user message, likewise. Nothing else is merged or reordered.
   *
   * @param options continuesLast: the last message is the beginning of the answer; what the template
   *   puts behind it is left out
   * @throws {TokenizerError} "bad-messages" with the index of the first message that does not fit
   */
  render(
    messages: readonly ChatMessage[],
    options: { readonly continuesLast?: boolean } = {},
  ): ChatPart[] {
    requireCount(messages.length);
    const continues = options.continuesLast === true;
    if (continues) requireAssistantLast(messages);
    let shown: readonly ShownMessage[] = messages.map((each, index) => ({ ...each, index }));
    if (!this.#takesNeighbours) shown = mergeNeighbours(shown);
    if (shown[0]?.role === "system" && !this.#takesSystem) shown = foldSystem(shown);
    // An answer that begins with nothing is one that has not begun.
    const isBegun = continues && shown.at(-1)!.content !== "";
    if (continues && !isBegun && shown.length > 1) shown = shown.slice(0, -1);
    try {
      const parts = this.#template.render(shown);
      return isBegun ? cutAfter(parts, shown.length - 1) : parts;
    } catch (error) {
      if (!(error instanceof TokenizerError) || error.code !== "bad-messages") throw error;
      const found = error.messageIndex ?? this.#firstMisfit(shown);
      throw atMessage(shown[found]!.index, error);
    }
  }

  /**
   * The message after the longest beginning that renders, by bisection. A beginning also counts as
   * good if it does so with one message more, for templates that want the user's word last; so
   * does a system prompt alone, which templates show only beside a user's message.
   */
  #firstMisfit(messages: readonly ChatMessage[]): number {
    const renders = (count: number): boolean =>
      (count === 1 && messages[0]?.role === "system") ||
      this.#template.canRender(messages.slice(0, count));
    let good = 0;
    let bad = messages.length;
    while (bad - good > 1) {
      const middle = (good + bad) >> 1;
      if (renders(middle)) good = middle;
      else if (middle + 1 < bad && renders(middle + 1)) good = middle + 1;
      else bad = middle;
    }
    return good;
  }
}

function requireCount(count: number): void {
  if (count > 0 && count <= chatMessagesMax) return;
  const detail = `expected 1 to ${chatMessagesMax} messages, found ${count}`;
  throw new TokenizerError("bad-messages", detail);
}

function requireAssistantLast(messages: readonly ChatMessage[]): void {
  const index = messages.length - 1;
  const { role } = messages[index]!;
  if (role === "assistant") return;
  throw new TokenizerError(
    "bad-messages",
    `message ${index}: expected an assistant's message to continue, found role ${role}`,
    { messageIndex: index },
  );
}

function mergeNeighbours(messages: readonly ShownMessage[]): ShownMessage[] {
  const merged: ShownMessage[] = [];
  for (const message of messages) {
    const before = merged.at(-1);
    if (before?.role !== message.role) merged.push(message);
    else merged[merged.length - 1] = { ...before, content: join(before.content, message.content) };
  }
  return merged;
}

function join(first: string, second: string): string {
  return [first, second].filter((text) => text !== "").join(seam);
}

function foldSystem(messages: readonly ShownMessage[]): ShownMessage[] {
  const [system, first, ...rest] = messages;
  if (first?.role === "user") {
    return [
      {
        ...first,
        content: system!.content === "" ? first.content : system!.content + seam + first.content,
      },
      ...rest,
    ];
  }
  const messageIndex = first?.index ?? 0;
  const found = first === undefined ? "none" : `role ${first.role}`;
  throw new TokenizerError(
    "bad-messages",
    `message ${messageIndex}: expected a user message after the system prompt, found ${found}`,
    { messageIndex },
  );
}

/** Without what the template puts behind the message's body. */
function cutAfter(parts: readonly ChatPart[], messageIndex: number): ChatPart[] {
  const last = parts.findLastIndex(
    (part) => part.kind === "body" && part.messageIndex === messageIndex,
  );
  return parts.slice(0, last + 1);
}

function atMessage(messageIndex: number, cause: TokenizerError): TokenizerError {
  const detail = cause.message.slice(`[${cause.code}] `.length);
  return new TokenizerError("bad-messages", `message ${messageIndex}: ${detail}`, {
    messageIndex,
    cause,
  });
}
