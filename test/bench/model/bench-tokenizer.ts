// A tokenizer for models that nobody talks to: every id spells something, and no text is merged.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const specials = ["<unk>", "<s>", "</s>"];
const firstWord = specials.length + 256;

/** Every token's piece, as SentencePiece spells them: control tokens, bytes, then words. */
export function benchPieces(vocabSize: number): string[] {
  return Array.from({ length: vocabSize }, (_, id) => {
    if (id < specials.length) return specials[id]!;
    if (id >= firstWord) return `\u2581t${id}`;
    const byte = id - specials.length;
    return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
  });
}

/** What a GGUF file says each piece is: 1 a word, 2 unknown, 3 control, 6 a byte. */
export function ggufTokenTypes(vocabSize: number): number[] {
  return Array.from({ length: vocabSize }, (_, id) => {
    if (id >= firstWord) return 1;
    if (id >= specials.length) return 6;
    return id === 0 ? 2 : 3;
  });
}

/** Writes tokenizer.json into a folder, which is created. */
export async function writeBenchTokenizer(dir: string, vocabSize: number): Promise<void> {
  const vocab = Object.fromEntries(benchPieces(vocabSize).map((piece, id) => [piece, id]));
  const control = { special: true, lstrip: false, rstrip: false, single_word: false };
  const tokenizer = {
    version: "1.0",
    added_tokens: specials.map((content, id) => ({ id, content, normalized: false, ...control })),
    normalizer: null,
    pre_tokenizer: {
      type: "Metaspace",
      replacement: "\u2581",
      prepend_scheme: "always",
      split: false,
    },
    post_processor: null,
    decoder: null,
    model: { type: "BPE", unk_token: "<unk>", byte_fallback: true, vocab, merges: [] },
  };
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, "tokenizer.json"), JSON.stringify(tokenizer));
}
