export type { ChatMessage } from "./chat-template.ts";
export { chatMessagesMax } from "./conversation.ts";
export type { StreamDecoder } from "./stream-decoder.ts";
export type { TokenBytes } from "./token-bytes.ts";
export {
  type ChatOptions,
  type OpenTokenizerOptions,
  openTokenizer,
  type Tokenizer,
} from "./tokenizer.ts";
export { TokenizerError, type TokenizerErrorCode } from "./tokenizer-error.ts";
export {
  renderToolCalls,
  renderTools,
  type ToolCall,
  type ToolChatMessage,
  type ToolChoice,
  type ToolDefinition,
  toolCallsMarker,
} from "./tool-prompt.ts";
