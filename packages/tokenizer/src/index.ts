export type { ChatMessage } from "./chat-template.ts";
export { chatMessagesMax } from "./conversation.ts";
export type { StreamDecoder } from "./stream-decoder.ts";
export {
  type ChatOptions,
  type OpenTokenizerOptions,
  openTokenizer,
  type Tokenizer,
} from "./tokenizer.ts";
export { TokenizerError, type TokenizerErrorCode } from "./tokenizer-error.ts";
