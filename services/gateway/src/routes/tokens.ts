// POST /tokenize, /detokenize and /apply-template.
import { isUtf8 } from "node:buffer";
import type { TokenizeResponse } from "@octet/protocol";
import { z } from "zod";
import { ApiError } from "../http/api-error.ts";
import {
  messagesShape,
  requireConversationBytes,
  requirePromptBytes,
  toPromptMessages,
} from "../params/messages.ts";
import { pickAlias } from "../params/pick-alias.ts";
import { readBody } from "../params/read-body.ts";
import type { Coordinators } from "../upstream/coordinators.ts";
import { requireChatTemplate } from "./chat-completions.ts";

/** Most ids of one call. */
const tokenIdsMax = 1_048_576;

const model = z.string().max(256).optional();

/** The body of /tokenize: vLLM's names and llama-server's. */
export const tokenizeBody = z.object({
  model,
  prompt: z.string().optional(),
  content: z.string().optional().describe("llama-server's name for prompt."),
  messages: messagesShape.messages.optional(),
  add_special_tokens: z.boolean().optional().describe("Default true."),
  return_token_strs: z.boolean().optional().describe("What each token looks like, beside its id."),
  with_pieces: z.boolean().optional().describe("llama-server's: tokens as id and piece."),
  add_special: z.boolean().optional().describe("llama-server's name for add_special_tokens."),
});

/** The body of /detokenize. */
export const detokenizeBody = z.object({
  model,
  tokens: z
    .array(
      z
        .number()
        .int()
        .min(0)
        .max(2 ** 32 - 1),
    )
    .max(tokenIdsMax),
});

/** The body of /apply-template. */
export const applyTemplateBody = z.object({ model, ...messagesShape });

/** How a call is read, and when its client is gone. */
export interface TokenCall {
  readonly strict: boolean;
  readonly signal: AbortSignal;
}

/** Text or messages to token ids. */
export async function tokenize(body: unknown, coordinators: Coordinators, call: TokenCall) {
  const { values } = readBody(tokenizeBody, body, call);
  const text = pickAlias({ prompt: values.prompt, content: values.content });
  if ((text === undefined) === (values.messages === undefined)) {
    const found = text === undefined ? "neither" : "both";
    throw new ApiError("invalid_parameter", `body: expected prompt or messages, found ${found}`, {
      param: "prompt",
    });
  }
  const { add_special_tokens, add_special } = values;
  const addSpecialTokens = pickAlias({ add_special_tokens, add_special });
  const { tokenIds, maxPositions, pieces } =
    values.messages === undefined
      ? await tokenizeText(text!, addSpecialTokens, values.model, coordinators, call)
      : await tokenizeChat(values.messages, values.model, coordinators, call);
  return {
    count: tokenIds.length,
    max_model_len: maxPositions,
    tokens: values.with_pieces === true ? withPieces(tokenIds, pieces) : tokenIds,
    ...(values.return_token_strs === true ? { token_strs: pieces.map(toText) } : {}),
  };
}

/** Token ids to text, control tokens left out. */
export async function detokenize(body: unknown, coordinators: Coordinators, call: TokenCall) {
  const { values } = readBody(detokenizeBody, body, call);
  const chosen = coordinators.model(values.model);
  const text = await coordinators
    .of(chosen)
    .detokenize({ model: chosen.name, tokenIds: values.tokens }, call.signal);
  // vLLM's name, and llama-server's.
  return { prompt: text, content: text };
}

/** What a conversation looks like to the model: exactly as ids, and as text to read. */
export async function applyTemplate(body: unknown, coordinators: Coordinators, call: TokenCall) {
  const { values } = readBody(applyTemplateBody, body, call);
  const { tokenIds, pieces } = await tokenizeChat(
    values.messages,
    values.model,
    coordinators,
    call,
  );
  return { prompt: toText(Buffer.concat(pieces)), token_ids: tokenIds };
}

/** As llama-server does: a piece that is part of a character is a list of bytes. */
function withPieces(tokenIds: readonly number[], pieces: readonly Uint8Array[]) {
  return tokenIds.map((id, index) => {
    const bytes = pieces[index]!;
    return { id, piece: isUtf8(bytes) ? toText(bytes) : [...bytes] };
  });
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}

function tokenizeText(
  text: string,
  addSpecialTokens: boolean | undefined,
  name: string | undefined,
  coordinators: Coordinators,
  { signal }: TokenCall,
): Promise<TokenizeResponse> {
  requirePromptBytes([text], "prompt");
  const chosen = coordinators.model(name);
  return coordinators.of(chosen).tokenize(
    {
      model: chosen.name,
      input: { case: "text", value: text },
      withPieces: true,
      ...(addSpecialTokens === undefined ? {} : { addSpecialTokens }),
    },
    signal,
  );
}

async function tokenizeChat(
  given: z.infer<typeof messagesShape.messages>,
  name: string | undefined,
  coordinators: Coordinators,
  { signal }: TokenCall,
): Promise<TokenizeResponse> {
  const messages = toPromptMessages(given);
  requireConversationBytes(messages);
  const chosen = coordinators.model(name);
  requireChatTemplate(chosen);
  const input = { case: "chat", value: { messages } } as const;
  return coordinators.of(chosen).tokenize({ model: chosen.name, input, withPieces: true }, signal);
}
