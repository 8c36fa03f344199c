// Renders the model's chat template without ever letting it see what the messages say.
import { Template } from "@huggingface/jinja";
import type { NamedTokens } from "./special-tokens.ts";
import { TokenizerError } from "./tokenizer-error.ts";

/** One message of a conversation. */
export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** A stretch of a rendered conversation: the template's own words, or a message's. */
export type ChatPart =
  | { readonly kind: "template"; readonly text: string }
  | {
      readonly kind: "body";
      readonly text: string;
      readonly role: ChatMessage["role"];
      readonly messageIndex: number;
    };

/** Private-use characters around a message's number stand for its body in the template. */
const open = "\u{10FFFC}";
const close = "\u{10FFFD}";
/** A rare space on both sides: where the template trims the body, it is gone. */
const trimMark = "\u2004";
const placeholderPattern = new RegExp(`(${trimMark}?)${open}(\\d+)${close}(${trimMark}?)`, "gu");

/** A parsed template. Stateless: rendering twice gives the same. */
export class ChatTemplate {
  readonly #template: Template;
  readonly #variables: Readonly<Record<string, unknown>>;

  /** @throws {TokenizerError} "bad-file" if the source is not a template */
  constructor(source: string, namedTokens: NamedTokens) {
    const tokens = Object.fromEntries(namedTokens);
    this.#variables = { tools: null, documents: null, ...tokens, add_generation_prompt: true };
    if (source.includes(open) || source.includes(close)) {
      const detail = "expected no private-use characters U+10FFFC and U+10FFFD, found one";
      throw new TokenizerError("bad-file", `chat template: ${detail}`);
    }
    try {
      this.#template = new Template(source);
    } catch (cause) {
      throw new TokenizerError("bad-file", `chat template: ${reason(cause)}`, { cause });
    }
  }

  /**
   * The conversation as alternating parts. Joined, they are what rendering the messages themselves
   * gives: a template that does more to a body than place and trim it is refused.
   *
   * @throws {TokenizerError} "bad-messages" or "template-failed", with the message's index if known
   */
  render(messages: readonly ChatMessage[]): ChatPart[] {
    const parts = this.#split(this.#renderText(withPlaceholders(messages)), messages);
    const joined = parts.map((part) => part.text).join("");
    if (joined !== this.#renderText(messages)) {
      throw new TokenizerError(
        "template-failed",
        "expected a chat template that places each message as it is, found one that rewrites it",
      );
    }
    return parts;
  }

  /** Whether a conversation like this one renders, with none of its messages left out. */
  canRender(messages: readonly ChatMessage[]): boolean {
    try {
      this.#split(this.#renderText(withPlaceholders(messages)), messages);
      return true;
    } catch (error) {
      if (error instanceof TokenizerError) return false;
      throw error;
    }
  }

  #renderText(messages: readonly ChatMessage[]): string {
    try {
      return this.#template.render({
        ...this.#variables,
        messages: messages.map(({ role, content }) => ({ role, content })),
      });
    } catch (cause) {
      throw new TokenizerError("bad-messages", reason(cause), { cause });
    }
  }

  #split(rendered: string, messages: readonly ChatMessage[]): ChatPart[] {
    const parts: ChatPart[] = [];
    const missing = new Set(messages.keys());
    let end = 0;
    for (const match of rendered.matchAll(placeholderPattern)) {
      const [placeholder, before, digits, after] = match;
      if (match.index > end) {
        parts.push({ kind: "template", text: rendered.slice(end, match.index) });
      }
      const messageIndex = Number(digits);
      const { role, content } = messages[messageIndex]!;
      let text = before === "" ? content.trimStart() : content;
      if (after === "") text = text.trimEnd();
      parts.push({ kind: "body", text, role, messageIndex });
      missing.delete(messageIndex);
      end = match.index + placeholder.length;
    }
    if (end < rendered.length) parts.push({ kind: "template", text: rendered.slice(end) });
    for (const index of missing) {
      if (messages[index]!.content === "") continue;
      const detail =
        "expected a message that the chat template shows, found one that it leaves out";
      throw new TokenizerError("bad-messages", detail, { messageIndex: index });
    }
    return parts;
  }
}

/** Empty bodies stay empty, since templates ask. */
function withPlaceholders(messages: readonly ChatMessage[]): ChatMessage[] {
  return messages.map(({ role, content }, index) => ({
    role,
    content: content === "" ? "" : `${trimMark}${open}${index}${close}${trimMark}`,
  }));
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
