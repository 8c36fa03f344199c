// Reads the files that make a tokenizer, and refuses those that cannot be meant.
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { isJsonObject, type JsonObject, stringField } from "./json-shape.ts";
import { TokenizerError } from "./tokenizer-error.ts";

/** Far above any tokenizer: 256,000 tokens take about 35 MB of JSON. */
const fileBytesMax = 256 * 1024 * 1024;

/** What the folder says, parsed but not yet understood. */
export interface TokenizerFiles {
  /** tokenizer.json, for messages. */
  readonly path: string;
  readonly tokenizer: JsonObject;
  /** tokenizer_config.json; empty if absent. */
  readonly config: JsonObject;
  /** special_tokens_map.json; empty if absent. */
  readonly specialTokensMap: JsonObject;
  /** generation_config.json; empty if absent. */
  readonly generationConfig: JsonObject;
  /** The template's source: chat_template.jinja, else tokenizer_config.json's. */
  readonly chatTemplate: string | undefined;
}

/** @throws {TokenizerError} "missing-file" or "bad-file", naming the file */
export async function readTokenizerFiles(dir: string): Promise<TokenizerFiles> {
  const path = join(dir, "tokenizer.json");
  const [tokenizer, config, specialTokensMap, generationConfig, template] = await Promise.all([
    readJson(path),
    readJson(join(dir, "tokenizer_config.json")),
    readJson(join(dir, "special_tokens_map.json")),
    readJson(join(dir, "generation_config.json")),
    readText(join(dir, "chat_template.jinja")),
  ]);
  if (tokenizer === undefined) {
    throw new TokenizerError(
      "missing-file",
      `${path}: expected a tokenizer.json, found none; copy it from the model's original folder`,
    );
  }
  return {
    path,
    tokenizer,
    config: config ?? {},
    specialTokensMap: specialTokensMap ?? {},
    generationConfig: generationConfig ?? {},
    chatTemplate: template ?? templateIn(config),
  };
}

/** The template is a string, or a list of named ones of which "default" is for conversations. */
function templateIn(config: JsonObject | undefined): string | undefined {
  const templates = config?.chat_template;
  if (!Array.isArray(templates)) return stringField(config, "chat_template");
  const chosen = templates.filter(isJsonObject).find((entry) => entry.name === "default");
  return stringField(chosen, "template");
}

async function readJson(path: string): Promise<JsonObject | undefined> {
  const text = await readText(path);
  if (text === undefined) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new TokenizerError("bad-file", `${path}: expected JSON, found text that is not`, {
      cause,
    });
  }
  if (isJsonObject(parsed)) return parsed;
  throw new TokenizerError("bad-file", `${path}: expected a JSON object, found another value`);
}

async function readText(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size <= fileBytesMax) return await readFile(path, "utf8");
    const detail = `expected at most ${fileBytesMax} bytes, found ${size}`;
    throw new TokenizerError("bad-file", `${path}: ${detail}`);
  } catch (cause) {
    if (cause instanceof TokenizerError) throw cause;
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw new TokenizerError("bad-file", `${path}: expected a readable file`, { cause });
  }
}
