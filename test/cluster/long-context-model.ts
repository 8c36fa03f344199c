// A model of 32,768 positions that is small enough to be taken through all of them in seconds, and
// prompts for it that are as long as wanted.
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ShardSetIndex } from "@octet/checkpoint";
import { createEngine } from "@octet/engine";
import { openTokenizer, type Tokenizer } from "@octet/tokenizer";
import {
  createSynthetic,
  writeSynthetic,
} from "../../packages/checkpoint/src/testing/synthetic-checkpoint.ts";
import { openOneProcess } from "../bench/octet/open-one-process.ts";
import { bundledModelDir } from "./service-cluster.ts";

/** Positions of the model. */
export const contextTokens = 32_768;

/** A checkpoint that lasts until it is disposed of. */
export interface LongContextModel extends AsyncDisposable {
  readonly dir: string;
  readonly tokenizer: Tokenizer;
}

/** Random weights, two layers, three experts, and the bundled model's tokenizer. */
export async function writeLongContextModel(): Promise<LongContextModel> {
  const dir = await mkdtemp(join(tmpdir(), "octet-long-context-"));
  const tokenizer = await openTokenizer(bundledModelDir);
  const sizes = {
    num_attention_heads: 1,
    num_key_value_heads: 1,
    head_dim: 16,
    rope_theta: 1_000_000,
    max_position_embeddings: contextTokens,
    vocab_size: tokenizer.vocabSize,
  };
  writeSynthetic(dir, createSynthetic(sizes, { seed: 32 }));
  for (const file of ["tokenizer.json", "tokenizer_config.json"]) {
    await copyFile(join(bundledModelDir, file), join(dir, file));
  }
  return { dir, tokenizer, [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) };
}

/** A text of words that are one token each, in an order of their own for each `seed`. */
export function textOfTokens(tokenizer: Tokenizer, numTokens: number, seed: number): string {
  const words: string[] = [];
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    const text = tokenizer.decode([id]);
    if (/^[a-z]{5,}$/.test(text) && tokenizer.encode(text).length === 1) words.push(text);
  }
  // 7919 is a prime: all words come, and every eighth begins another order.
  const word = (i: number) => words[((i + seed) * 7919 + (i >> 3) * 31) % words.length]!;
  const numWords = numTokens - 1; // the first is the beginning of the sequence
  return Array.from({ length: numWords }, (_, i) => word(i)).join(" ");
}

/** What is the same for whoever computes an answer. */
export interface LongAnswer {
  readonly tokenIds: readonly number[];
  /** Of the chosen tokens. */
  readonly logprobs: readonly number[];
}

/** The answer by engines of this process, without a cluster, in steps of another size. */
export async function answerInOneProcess(
  index: ShardSetIndex,
  request: { readonly promptTokenIds: Int32Array; readonly maxTokens: number },
  stepTokensMax: number,
): Promise<LongAnswer> {
  const dir = dirname(index.coordinator.dir);
  await using opened = await openOneProcess({ dir, threads: 2, kvTokens: contextTokens });
  const limits = { stepTokensMax, activeSequencesMax: 1 };
  const engine = createEngine({ ...opened, limits });
  const tokenIds: number[] = [];
  const logprobs: number[] = [];
  const events = engine.generate({
    promptTokenIds: request.promptTokenIds,
    sampling: { temperature: 0 },
    stop: { maxTokens: request.maxTokens, ignoreEos: true },
    output: { topLogprobs: 0 },
    decoder: { push: () => "", flush: () => "" },
  });
  for await (const event of events) {
    if (event.kind !== "delta") continue;
    tokenIds.push(...event.tokenIds);
    logprobs.push(...event.logprobs.map(({ chosen }) => chosen.logprob));
  }
  await engine.close();
  return { tokenIds, logprobs };
}
