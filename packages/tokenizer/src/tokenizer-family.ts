// The two ways a byte-pair tokenizer.json spells text, and the refusal of every other.
import { isJsonObject, type JsonObject, stringField } from "./json-shape.ts";
import { TokenizerError } from "./tokenizer-error.ts";
import type { TokenizerFiles } from "./tokenizer-files.ts";

/**
 * - sentencepiece: spaces are "▁", a character the vocabulary lacks becomes its UTF-8 bytes, and
 *   text begins with one "▁" more than it has spaces. `dummyPrefix` says which runs of a
 *   conversation get that one: each between two control tokens, only the first, or none.
 * - byte-level: every byte is a character of its own, and words are cut by a pattern first.
 */
export type TokenizerFamily =
  | { readonly kind: "sentencepiece"; readonly dummyPrefix: "every-run" | "first-run" | "none" }
  | { readonly kind: "byte-level" };

/** What SentencePiece writes for a space. */
export const spaceMark = "\u2581";

/** @throws {TokenizerError} "unsupported-tokenizer", naming the part that is not known */
export function tokenizerFamilyOf(files: TokenizerFiles): TokenizerFamily {
  const { tokenizer } = files;
  const model = isJsonObject(tokenizer.model) ? tokenizer.model : {};
  const modelType = stringField(model, "type") ?? "BPE";
  if (modelType !== "BPE" || !Array.isArray(model.merges)) {
    refuse(files, "model", `BPE with merges, found ${modelType}`);
  }
  const decoders = flatten(tokenizer.decoder, "decoders").map((part) => part.type);
  if (decoders.includes("ByteLevel")) return { kind: "byte-level" };
  if (model.byte_fallback !== true) {
    refuse(files, "model", "byte_fallback, or a ByteLevel decoder; found neither");
  }
  return { kind: "sentencepiece", dummyPrefix: dummyPrefixOf(files) };
}

/**
 * The dummy prefix is written in one of two places: as a normalizer (Prepend and Replace) or as a
 * pre-tokenizer (Metaspace). They differ for text that begins with a space: Metaspace then adds
 * nothing. SentencePiece, and Mistral's own tokenizer, always add it, and so do we.
 */
function dummyPrefixOf(files: TokenizerFiles): "every-run" | "first-run" | "none" {
  let prefix: "every-run" | "first-run" | "none" = "none";
  for (const part of flatten(files.tokenizer.normalizer, "normalizers")) {
    if (part.type === "Prepend" && part.prepend === spaceMark) prefix = "every-run";
    else if (!isSpaceReplacement(part)) {
      refuse(files, "normalizer", `Prepend or Replace of spaces, found ${String(part.type)}`);
    }
  }
  for (const part of flatten(files.tokenizer.pre_tokenizer, "pretokenizers")) {
    if (part.type !== "Metaspace" || part.split === true) {
      const found = `${String(part.type)}${part.split === true ? " with split" : ""}`;
      refuse(files, "pre_tokenizer", `Metaspace without split, found ${found}`);
    }
    const scheme = part.prepend_scheme ?? (part.add_prefix_space === false ? "never" : "always");
    if (scheme === "always") prefix = "every-run";
    else if (scheme === "first") prefix = "first-run";
  }
  return prefix;
}

function isSpaceReplacement(part: JsonObject): boolean {
  const pattern = isJsonObject(part.pattern) ? part.pattern : {};
  return part.type === "Replace" && pattern.String === " " && part.content === spaceMark;
}

/** The parts of a component: none, itself, or those of a Sequence. */
function flatten(component: unknown, listKey: string): JsonObject[] {
  if (!isJsonObject(component)) return [];
  if (component.type !== "Sequence") return [component];
  const list = component[listKey];
  return Array.isArray(list) ? list.flatMap((part) => flatten(part, listKey)) : [];
}

function refuse(files: TokenizerFiles, part: string, expectedAndFound: string): never {
  throw new TokenizerError(
    "unsupported-tokenizer",
    `${files.path}: ${part}: expected ${expectedAndFound}`,
  );
}
