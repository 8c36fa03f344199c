// llama.cpp as a process that stays up and answers questions. Started by LlamaProcess.
//
// Prompts and steps are given token by token, so that it takes the same tokens as Octet, and all
// sequences of a step are in one batch: with its own text generator one in eight lags behind.
import assert from "node:assert/strict";
import { answerRequests } from "../harness/requests.ts";
import type { DecodeRequest, DecodeResult, PrefillResult } from "../harness/text-generator.ts";
import {
  type EvaluatedToken,
  type Evaluation,
  type LlamaContext,
  type LlamaSequence,
  type LoadedLlama,
  loadLlama,
} from "./node-llama-cpp.ts";

/** llama.cpp's own default, and as many as Octet takes in a step. */
const batchTokens = 512;
const greedy = { generateNext: { token: true, options: { temperature: 0 } } } as const;

let loaded: LoadedLlama;
let threads: number;
let context: LlamaContext | undefined;
let sequences: LlamaSequence[] = [];
let prepared: readonly (readonly number[])[] = [];

const answers = {
  async load(options: { path: string; threads: number }): Promise<string> {
    threads = options.threads;
    loaded = await loadLlama(options.path, threads);
    return loaded.about;
  },

  /** Room for so many sequences of so many tokens; whatever was there is gone. */
  async open(options: { sequences: number; contextTokens: number }): Promise<void> {
    await context?.dispose();
    prepared = [];
    context = await loaded.model.createContext({
      sequences: options.sequences,
      contextSize: options.contextTokens,
      batchSize: batchTokens,
      threads,
    });
    const opened = context;
    sequences = Array.from({ length: options.sequences }, () => opened.getSequence());
  },

  async prefill(prompt: readonly number[]): Promise<PrefillResult> {
    const [sequence] = sequences;
    await sequence!.clearHistory();
    prepared = [];
    const start = performance.now();
    const tokenId = chosen(await sequence!.controlledEvaluate(thenGreedy(prompt)));
    return { ms: performance.now() - start, tokenId };
  },

  async decode(request: DecodeRequest): Promise<DecodeResult> {
    const { prompts, steps, forced } = request;
    assert(prompts.length === sequences.length, "one prompt for each sequence of the context");
    await prepare(prompts);
    const tokenIds = forced!.map(([first]) => [first!]);
    const start = performance.now();
    for (let step = 0; step < steps; step++) {
      const evaluations = await Promise.all(
        sequences.map((sequence, i) => sequence.controlledEvaluate([[forced![i]![step]!, greedy]])),
      );
      evaluations.forEach((evaluation, i) => {
        tokenIds[i]!.push(chosen(evaluation));
      });
    }
    return { ms: performance.now() - start, tokenIds };
  },

  /** Like decode, with the time of the prompts, of which nothing is remembered. */
  async serve(request: DecodeRequest): Promise<DecodeResult> {
    await Promise.all(sequences.map((sequence) => sequence.clearHistory()));
    prepared = [];
    const start = performance.now();
    const { tokenIds } = await answers.decode(request);
    return { ms: performance.now() - start, tokenIds };
  },

  /** [t, V] f32 in base64: logits after each token of the first sequence. */
  async logits(tokens: readonly number[]): Promise<string> {
    const [sequence] = sequences;
    await sequence!.clearHistory();
    prepared = [];
    const wanted = tokens.map(
      (token): EvaluatedToken => [token, { generateNext: { logits: true } }],
    );
    const evaluations = await sequence!.controlledEvaluate(wanted);
    const rows = evaluations.map((evaluation) => {
      const byToken = evaluation!.next.logits!;
      return Float32Array.from({ length: byToken.size }, (_, token) => byToken.get(token)!);
    });
    const all = Buffer.concat(rows.map((row) => new Uint8Array(row.buffer)));
    return all.toString("base64");
  },
};

/** What the parent may ask. */
export type LlamaAnswers = typeof answers;

/** Each prompt in its sequence's cache, and nothing after it; prompts that are there stay. */
async function prepare(prompts: readonly (readonly number[])[]): Promise<void> {
  const isThere = JSON.stringify(prepared) === JSON.stringify(prompts);
  await Promise.all(
    sequences.map(async (sequence, i) => {
      const prompt = prompts[i]!;
      const { nextTokenIndex } = sequence;
      if (!isThere) {
        await sequence.clearHistory();
        await sequence.controlledEvaluate(thenGreedy(prompt));
      } else if (nextTokenIndex > prompt.length) {
        const after = { start: prompt.length, end: nextTokenIndex };
        await sequence.eraseContextTokenRanges([after]);
      }
    }),
  );
  prepared = prompts;
}

/** The tokens, with the likeliest next one wanted after the last. */
function thenGreedy(tokens: readonly number[]): EvaluatedToken[] {
  return tokens.map((token, i) => (i === tokens.length - 1 ? [token, greedy] : token));
}

/** The token that was chosen after the last one. */
function chosen(evaluations: readonly (Evaluation | undefined)[]): number {
  const token = evaluations.at(-1)?.next.token;
  assert(token !== undefined, "llama.cpp chose a token");
  return token;
}

await answerRequests(answers);
process.exit(0); // its threads would keep it
