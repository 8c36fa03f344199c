/**
 * Why a tokenizer could not be opened or a conversation not encoded.
 *
 * - missing-file, bad-file, unsupported-tokenizer: the folder cannot be used, now or later
 * - no-chat-template: the folder has none, so conversations cannot be encoded
 * - bad-messages: the conversation is not one the model's template accepts
 * - template-failed: the template itself cannot be used for this conversation
 */
export type TokenizerErrorCode =
  | "missing-file"
  | "bad-file"
  | "unsupported-tokenizer"
  | "no-chat-template"
  | "bad-messages"
  | "template-failed";

/** An expected failure; the message names the file or the message, what was expected and found. */
export class TokenizerError extends Error {
  override readonly name = "TokenizerError";
  readonly code: TokenizerErrorCode;
  /** The message without the code. */
  readonly detail: string;
  /** Which message of the conversation, counted from 0, where one message is to blame. */
  readonly messageIndex: number | undefined;
  constructor(
    code: TokenizerErrorCode,
    detail: string,
    options: ErrorOptions & { readonly messageIndex?: number } = {},
  ) {
    super(`[${code}] ${detail}`, options);
    this.code = code;
    this.detail = detail;
    this.messageIndex = options.messageIndex;
  }
}
