// Which tokens steer the model rather than spell text: from tokenizer.json and the files beside it.
import { isJsonObject, type JsonObject, stringField } from "./json-shape.ts";
import { TokenizerError } from "./tokenizer-error.ts";
import type { TokenizerFiles } from "./tokenizer-files.ts";

/** A token that tokenizer.json adds to the model's own vocabulary, or marks within it. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Control, in Hugging Face's word: no text can mean it, and decoding leaves it out. */
  readonly special: boolean;
  /** Takes the whitespace on its left, or right, with it. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
}

/** Tokens by their role, as templates know them: bos_token → "<s>". */
export type NamedTokens = ReadonlyMap<string, string>;

const roles = [
  "bos_token",
  "eos_token",
  "unk_token",
  "pad_token",
  "sep_token",
  "cls_token",
  "mask_token",
];

/** tokenizer_config.json goes before special_tokens_map.json. */
export function namedTokensIn(files: TokenizerFiles): NamedTokens {
  const named = new Map<string, string>();
  for (const role of roles) {
    const content = tokenContent(files.config[role]) ?? tokenContent(files.specialTokensMap[role]);
    if (content !== undefined) named.set(role, content);
  }
  return named;
}

/** Every content that some file calls special without giving its id. */
export function specialContentsIn(files: TokenizerFiles): Set<string> {
  const contents = new Set(namedTokensIn(files).values());
  for (const file of [files.config, files.specialTokensMap]) {
    const more = file.additional_special_tokens;
    if (!Array.isArray(more)) continue;
    for (const entry of more) {
      const content = tokenContent(entry);
      if (content !== undefined) contents.add(content);
    }
  }
  return contents;
}

/**
 * tokenizer.json's list, and from tokenizer_config.json's those whose id the list lacks.
 *
 * @throws {TokenizerError} "bad-file" for an entry without an id and a content
 */
export function addedTokensIn(files: TokenizerFiles): AddedToken[] {
  const list = files.tokenizer.added_tokens ?? [];
  if (!Array.isArray(list)) {
    throw new TokenizerError("bad-file", `${files.path}: added_tokens: expected a list`);
  }
  const added = list.map((entry, index) => toAddedToken(entry, `added_tokens[${index}]`, files));
  const listed = new Set(added.map((token) => token.id));
  const decoder = files.config.added_tokens_decoder;
  for (const [id, entry] of Object.entries(isJsonObject(decoder) ? decoder : {})) {
    if (listed.has(Number(id)) || !isJsonObject(entry)) continue;
    added.push(toAddedToken({ ...entry, id: Number(id) }, `added_tokens_decoder.${id}`, files));
  }
  return added;
}

function toAddedToken(entry: unknown, place: string, files: TokenizerFiles): AddedToken {
  const object: JsonObject = isJsonObject(entry) ? entry : {};
  const id = object.id;
  const content = stringField(object, "content");
  if (!isTokenId(id) || content === undefined || content === "") {
    throw new TokenizerError("bad-file", `${files.path}: ${place}: expected an id and a content`);
  }
  return {
    id,
    content,
    special: object.special === true,
    lstrip: object.lstrip === true,
    rstrip: object.rstrip === true,
  };
}

/** Far above any vocabulary, and small enough for a table by id. */
const tokenIdMax = 2 ** 24 - 1;

/** Whether a value from a file can be a token's id. */
export function isTokenId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= tokenIdMax;
}

/** Files give a token as its text, or as an object around it. */
function tokenContent(value: unknown): string | undefined {
  const content = isJsonObject(value) ? value.content : value;
  return typeof content === "string" && content !== "" ? content : undefined;
}
