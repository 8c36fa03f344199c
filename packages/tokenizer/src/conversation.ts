// What happens to a conversation before and around its template: system prompts, limits, blame.
import type { ChatMessage, ChatPart, ChatTemplate } from "./chat-template.ts";
import { TokenizerError } from "./tokenizer-error.ts";

/** Most messages one conversation may have: at four tokens each, more than any context holds. */
export const chatMessagesMax = 16_384;

/** Renders conversations, folding the system prompt where the template knows none. */
export class Conversation {
  readonly #template: ChatTemplate;
  readonly #takesSystem: boolean;

  constructor(template: ChatTemplate) {
    this.#template = template;
    this.#takesSystem = template.canRender([
      { role: "system", content: "system" },
      { role: "user", content: "user" },
    ]);
  }

  /**
   * If the template refuses system messages, or would drop them, a first one goes in front of the
   * first user message with an empty line between, as mistral-common does for V1. Nothing else is
   * merged or reordered.
   *
   * @throws {TokenizerError} "bad-messages" with the index of the first message that does not fit
   */
  render(messages: readonly ChatMessage[]): ChatPart[] {
    requireCount(messages.length);
    const folds = messages[0]?.role === "system" && !this.#takesSystem;
    const shown = folds ? foldSystem(messages) : messages;
    try {
      return this.#template.render(shown);
    } catch (error) {
      if (!(error instanceof TokenizerError) || error.code !== "bad-messages") throw error;
      const found = error.messageIndex ?? this.#firstMisfit(shown);
      // Folding made one message of two: index 0 then stands for the user's.
      const messageIndex = folds ? found + 1 : found;
      throw atMessage(messageIndex, error);
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

function foldSystem(messages: readonly ChatMessage[]): ChatMessage[] {
  const [system, first, ...rest] = messages;
  if (first?.role !== "user") {
    throw new TokenizerError(
      "bad-messages",
      `message ${first === undefined ? 0 : 1}: expected a user message after the system prompt, ` +
        `found ${first === undefined ? "none" : `role ${first.role}`}`,
      { messageIndex: first === undefined ? 0 : 1 },
    );
  }
  const content = system!.content === "" ? "" : `${system!.content}\n\n`;
  return [{ role: "user", content: content + first.content }, ...rest];
}

function atMessage(messageIndex: number, cause: TokenizerError): TokenizerError {
  const detail = cause.message.slice(`[${cause.code}] `.length);
  return new TokenizerError("bad-messages", `message ${messageIndex}: ${detail}`, {
    messageIndex,
    cause,
  });
}
