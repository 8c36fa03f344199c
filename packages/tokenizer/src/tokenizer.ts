// The tokenizer of one model folder: text, conversations and token ids, in every direction.

import { readBpeModel } from "./bpe-model.ts";
import { ChatEncoding } from "./chat-encoding.ts";
import { type ChatMessage, ChatTemplate } from "./chat-template.ts";
import { Conversation } from "./conversation.ts";
import { toPieceBytes } from "./piece-bytes.ts";
import { isTokenId, namedTokensIn } from "./special-tokens.ts";
import { PieceStreamDecoder, type StreamDecoder } from "./stream-decoder.ts";
import { createByteLevelEncoding, createSentencePieceEncoding } from "./text-encoder.ts";
import { type TokenBytes, toTokenBytes } from "./token-bytes.ts";
import { TokenSpellings } from "./token-spelling.ts";
import { TokenizerError } from "./tokenizer-error.ts";
import { type TokenizerFamily, tokenizerFamilyOf } from "./tokenizer-family.ts";
import { readTokenizerFiles, type TokenizerFiles } from "./tokenizer-files.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** Text to token ids and back, as one model learnt it. Stateless; safe to share. */
export interface Tokenizer {
  /** One more than the highest token id. The model's table may have more rows, padded. */
  readonly vocabSize: number;
  readonly bosTokenId: number | undefined;
  readonly eosTokenId: number | undefined;
  /** Every token that ends an answer: eosTokenId, and what generation_config.json adds. */
  readonly stopTokenIds: readonly number[];
  readonly hasChatTemplate: boolean;

  /**
   * The ids of a text. Text that spells a control token stays text, always. An unpaired surrogate
   * counts as U+FFFD. Takes some 0.1 s a megabyte, and 0.5 where there are no spaces.
   *
   * @param options addBos: begin with the beginning-of-sequence token, if the model has one
   */
  encode(text: string, options?: { readonly addBos?: boolean }): Int32Array;

  /**
   * The ids of a conversation in the model's template, up to where the next answer begins.
   * Control tokens come from the template alone, never from what a message says. A system message
   * that the template does not know goes in front of the first user message; neighbours of one role
   * become one where the template wants roles to alternate; nothing else is merged.
   *
   * @param options continuesLast: the last message, an assistant's, is the beginning of the answer,
   *   and the ids end with it
   * @throws {TokenizerError} "bad-messages", with the index of the message that does not fit;
   *   "no-chat-template"; "template-failed" if the template rewrites what messages say
   */
  encodeChat(messages: readonly ChatMessage[], options?: ChatOptions): Int32Array;

  /**
   * The text of token ids, control tokens left out. Bytes that make no character are U+FFFD each,
   * and so is an id that the vocabulary lacks.
   */
  decode(tokenIds: ArrayLike<number>): string;

  /**
   * What a token looks like in a prompt that is shown: as {@link decode} has it, in UTF-8, perhaps
   * only part of a character; control tokens by their names, and a dummy prefix as a space.
   */
  pieceBytes(tokenId: number): Uint8Array;

  /**
   * Decodes one token at a time: what it gives, joined, is what {@link decode} gives.
   *
   * @param options continuesText: the tokens go on from a text, so a first space is part of it;
   *   without it, a first space is taken for the one that encoding put there
   */
  createStreamDecoder(options?: { readonly continuesText?: boolean }): StreamDecoder;

  /** Whether the token steers the model rather than spells text. */
  isControlToken(id: number): boolean;

  /** What a token adds to a text; undefined for a control token, or an id that is none. */
  tokenBytes(id: number): TokenBytes | undefined;
}

/** How a conversation is encoded. */
export interface ChatOptions {
  /** Default false. */
  readonly continuesLast?: boolean;
}

/** Options of {@link openTokenizer}. */
export interface OpenTokenizerOptions {
  /** A chat template's source, used in place of the folder's. */
  readonly chatTemplate?: string;
}

/**
 * Opens the tokenizer of a model folder: tokenizer.json and, where present, tokenizer_config.json,
 * special_tokens_map.json, generation_config.json and chat_template.jinja.
 *
 * @throws {TokenizerError} "missing-file", "bad-file" or "unsupported-tokenizer", naming the file
 */
export async function openTokenizer(
  dir: string,
  options: OpenTokenizerOptions = {},
): Promise<Tokenizer> {
  const files = await readTokenizerFiles(dir);
  const template = options.chatTemplate ?? files.chatTemplate;
  return new BpeTokenizer(files, template);
}

class BpeTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly bosTokenId: number | undefined;
  readonly eosTokenId: number | undefined;
  readonly stopTokenIds: readonly number[];
  readonly hasChatTemplate: boolean;
  readonly #vocabulary: Vocabulary;
  readonly #spellings: TokenSpellings;
  readonly #encodeRun: (text: string, withDummyPrefix: boolean) => Int32Array;
  readonly #startsWithPrefix: boolean;
  readonly #encodeChat: Tokenizer["encodeChat"] | undefined;

  constructor(files: TokenizerFiles, template: string | undefined) {
    const family = tokenizerFamilyOf(files);
    const model = readBpeModel(files);
    const encoding =
      family.kind === "sentencepiece"
        ? createSentencePieceEncoding(model, files.path)
        : createByteLevelEncoding(model, files.path);
    const named = namedTokensIn(files);
    this.#vocabulary = model.vocabulary;
    this.#spellings = new TokenSpellings(model.vocabulary, family);
    this.#encodeRun = (text, withPrefix) => encoding.encode(text.toWellFormed(), withPrefix);
    this.#startsWithPrefix = family.kind === "sentencepiece" && family.dummyPrefix !== "none";
    this.vocabSize = model.vocabulary.size;
    const idOfRole = (role: "bos" | "eos"): number | undefined =>
      model.vocabulary.idOf(named.get(`${role}_token`) ?? "") ??
      idsIn(files.generationConfig[`${role}_token_id`])[0];
    this.bosTokenId = idOfRole("bos");
    this.eosTokenId = idOfRole("eos");
    const stops = [this.eosTokenId, ...idsIn(files.generationConfig.eos_token_id)];
    this.stopTokenIds = [...new Set(stops.filter((id) => id !== undefined))];
    this.hasChatTemplate = template !== undefined;
    if (template !== undefined) {
      const conversation = new Conversation(new ChatTemplate(template, named));
      const chat = this.#createChatEncoding(family, template);
      this.#encodeChat = (messages, options) => chat.encode(conversation.render(messages, options));
    }
  }

  encode(text: string, options: { readonly addBos?: boolean } = {}): Int32Array {
    const ids = this.#encodeRun(text, this.#startsWithPrefix);
    if (options.addBos !== true || this.bosTokenId === undefined) return ids;
    const withBos = new Int32Array(ids.length + 1);
    withBos[0] = this.bosTokenId;
    withBos.set(ids, 1);
    return withBos;
  }

  encodeChat(messages: readonly ChatMessage[], options: ChatOptions = {}): Int32Array {
    if (this.#encodeChat !== undefined) return this.#encodeChat(messages, options);
    throw new TokenizerError(
      "no-chat-template",
      "expected a chat template in chat_template.jinja or tokenizer_config.json, found none: " +
        "this model takes plain text, not conversations",
    );
  }

  decode(tokenIds: ArrayLike<number>): string {
    const decoder = this.createStreamDecoder();
    let text = "";
    for (let i = 0; i < tokenIds.length; i++) text += decoder.push(tokenIds[i]!);
    return text + decoder.flush();
  }

  pieceBytes(tokenId: number): Uint8Array {
    return toPieceBytes(tokenId, { vocabulary: this.#vocabulary, spellings: this.#spellings });
  }

  createStreamDecoder(options: { readonly continuesText?: boolean } = {}): StreamDecoder {
    return new PieceStreamDecoder(this.#spellings, options.continuesText !== true);
  }

  isControlToken(id: number): boolean {
    return this.#vocabulary.isControl(id);
  }

  tokenBytes(id: number): TokenBytes | undefined {
    if (this.#vocabulary.pieceOf(id) === undefined) return undefined;
    return toTokenBytes(this.#spellings.get(id));
  }

  /**
   * A template with "[INST]" is Mistral's: mistral-common defines its ids, and gives every run and
   * every answer the dummy prefix. Other templates get it where tokenizer.json says.
   */
  #createChatEncoding(family: TokenizerFamily, template: string): ChatEncoding {
    const mistralSeams = this.#startsWithPrefix && template.includes("[INST]");
    const prefix = family.kind === "sentencepiece" ? family.dummyPrefix : "none";
    const everyRun = mistralSeams || prefix === "every-run";
    const runs = {
      encode: (text: string, isFirst: boolean) =>
        this.#encodeRun(text, everyRun || (isFirst && prefix === "first-run")),
    };
    return new ChatEncoding(runs, { tokens: this.#vocabulary.templateTokens, mistralSeams });
  }
}

/** generation_config.json gives one id or a list. */
function idsIn(value: unknown): number[] {
  return (Array.isArray(value) ? value : [value]).filter(isTokenId);
}
