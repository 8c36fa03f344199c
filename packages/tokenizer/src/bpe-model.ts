// The library's reading of tokenizer.json, as the vocabulary and the merge rules we work with.
import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import type { MergeRule } from "./pair-merger.ts";
import { addedTokensIn, isTokenId, specialContentsIn } from "./special-tokens.ts";
import { TokenizerError } from "./tokenizer-error.ts";
import type { TokenizerFiles } from "./tokenizer-files.ts";
import { Vocabulary } from "./vocabulary.ts";

/** A byte-pair model, and the steps before it that the library knows how to take. */
export interface BpeModel {
  readonly vocabulary: Vocabulary;
  /** In order of rank. None of them makes, or needs, a token that text cannot become. */
  readonly rules: readonly MergeRule[];
  /** Whether a word that is itself a piece is taken whole, whatever the rules would make of it. */
  readonly wholeWordsFirst: boolean;
  /** Normalises text and cuts it into words, as tokenizer.json says. */
  splitWords(text: string): readonly string[];
}

/**
 * What we use of the library's tokenizer. Its own declarations do not resolve under "nodenext"
 * (their imports lack file extensions), which would leave everything untyped.
 */
interface Library {
  readonly normalizer: ((text: string) => string) | null;
  readonly pre_tokenizer: ((text: string) => string[]) | null;
  readonly model: {
    readonly tokens_to_ids: ReadonlyMap<string, unknown>;
    readonly vocab: readonly (string | undefined)[];
    readonly merges: readonly (readonly [string, string])[];
    readonly ignore_merges: boolean;
  };
}

/**
 * @param files of a BPE tokenizer
 * @throws {TokenizerError} "bad-file"
 */
export function readBpeModel(files: TokenizerFiles): BpeModel {
  const { model, normalizer, pre_tokenizer: preTokenizer } = openLibrary(files);
  for (const [piece, id] of model.tokens_to_ids) {
    if (isTokenId(id)) continue;
    const detail = `expected a small id, found ${String(id)} for ${JSON.stringify(piece)}`;
    throw new TokenizerError("bad-file", `${files.path}: model.vocab: ${detail}`);
  }
  const vocabulary = new Vocabulary(model.vocab, addedTokensIn(files), specialContentsIn(files));
  return {
    vocabulary,
    rules: readRules(model.merges, vocabulary, files.path),
    wholeWordsFirst: model.ignore_merges,
    splitWords(text) {
      const normalised = normalizer === null ? text : normalizer(text);
      return preTokenizer === null ? [normalised] : preTokenizer(normalised);
    },
  };
}

/**
 * Added tokens stay out of it, so that it never looks for them in text; so does what it would do
 * after the model, which we do.
 */
function openLibrary(files: TokenizerFiles): Library {
  const { tokenizer, config, path } = files;
  const parts = { normalizer: null, pre_tokenizer: null, ...tokenizer };
  const own = { added_tokens: [], post_processor: null, decoder: null };
  try {
    return new LibraryTokenizer({ ...parts, ...own }, config);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new TokenizerError("bad-file", `${path}: expected a tokenizer.json: ${detail}`, {
      cause,
    });
  }
}

function readRules(
  merges: readonly (readonly [string, string])[],
  vocabulary: Vocabulary,
  path: string,
): MergeRule[] {
  const rules: MergeRule[] = [];
  merges.forEach(([leftPiece, rightPiece], index) => {
    const pieces = [leftPiece, rightPiece, leftPiece + rightPiece];
    const [left, right, merged] = pieces.map((piece) => vocabulary.textIdOf(piece));
    if (left !== undefined && right !== undefined && merged !== undefined) {
      rules.push({ left, right, merged });
      return;
    }
    // A rule about a control token would let text become one: it is left out. One about a piece
    // that does not exist means that the file is damaged.
    const missing = pieces.find((piece) => vocabulary.idOf(piece) === undefined);
    if (missing === undefined) return;
    const detail = `expected pieces of the vocabulary, found ${JSON.stringify(missing)}`;
    throw new TokenizerError("bad-file", `${path}: model.merges[${index}]: ${detail}`);
  });
  return rules;
}
