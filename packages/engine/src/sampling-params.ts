// What a caller may ask of sampling, checked once.
import {
  allowedTokenIdsMax,
  badWordsMax,
  badWordTokensMax,
  logitBiasEntriesMax,
  logitBiasMax,
  penaltyMax,
} from "@octet/core";
import { EngineError } from "./engine-error.ts";

/** How the next token is chosen, as asked. Unset is not 0: each field names its default. */
export interface SamplingRequest {
  /** 0 is greedy. Default 1. */
  readonly temperature?: number | undefined;
  /** Keep the k likeliest tokens, at least 1. Default: all. */
  readonly topK?: number | undefined;
  /** Keep the likeliest tokens whose probabilities reach p, 0 < p <= 1. Default 1. */
  readonly topP?: number | undefined;
  /** Drop tokens below this share of the likeliest one's probability, 0 <= p < 1. Default 0. */
  readonly minP?: number | undefined;
  /** 0 .. 2^64 - 1. Default: the engine's choice, reported in the first event. */
  readonly seed?: bigint | undefined;
  /**
   * Divides the positive logits of tokens in prompt and answer, multiplies the others; finite,
   * above 0; above 1 repeats less. Default 1.
   */
  readonly repetitionPenalty?: number | undefined;
  /** Off the logits of tokens in the answer, -penaltyMax .. penaltyMax. Default 0. */
  readonly presencePenalty?: number | undefined;
  /** The same for each time that a token is there. Default 0. */
  readonly frequencyPenalty?: number | undefined;
  /**
   * Pairs of a token and what is added to its logit, -logitBiasMax .. logitBiasMax; at most
   * logitBiasEntriesMax, each token once. Default: none.
   */
  readonly logitBias?: Iterable<readonly [tokenId: number, bias: number]> | undefined;
  /** Only these may come: 1 .. allowedTokenIdsMax, in any order. Default: all. */
  readonly allowedTokenIds?: readonly number[] | undefined;
  /**
   * Runs of tokens that the answer may not contain: at most badWordsMax, each of 1 ..
   * badWordTokensMax tokens. Default: none.
   */
  readonly badWords?: readonly (readonly number[])[] | undefined;
}

/** How the next token is chosen: in range, nothing unset. */
export interface SamplingParams {
  /** 0 is greedy: the likeliest token, ties to the lowest id; filters and seed do not matter. */
  readonly temperature: number;
  /** undefined keeps all. */
  readonly topK: number | undefined;
  readonly topP: number;
  readonly minP: number;
  readonly seed: bigint;
  readonly repetitionPenalty: number;
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
  readonly logitBias: ReadonlyMap<number, number>;
  /** Rising, each once; undefined allows all. */
  readonly allowedTokenIds: Uint32Array | undefined;
  readonly badWords: readonly (readonly number[])[];
}

/** @throws {EngineError} "invalid-argument", naming the field, its range and what was found */
export function resolveSampling(
  request: SamplingRequest,
  context: { chooseSeed: () => bigint; vocabSize: number },
): SamplingParams {
  const { temperature = 1, topK, topP = 1, minP = 0 } = request;
  requireRange("temperature", temperature, Number.isFinite(temperature) && temperature >= 0, {
    expected: "a finite number of 0 or more",
  });
  if (topK !== undefined) {
    requireRange("topK", topK, Number.isInteger(topK) && topK >= 1, {
      expected: "an integer of 1 or more",
    });
  }
  requireRange("topP", topP, topP > 0 && topP <= 1, { expected: "0 < topP <= 1" });
  requireRange("minP", minP, minP >= 0 && minP < 1, { expected: "0 <= minP < 1" });
  const seed = request.seed ?? context.chooseSeed();
  requireRange("seed", seed, seed >= 0n && seed < 1n << 64n, { expected: "0 .. 2^64 - 1" });
  return {
    ...{ temperature, topK, topP, minP, seed },
    ...resolvePenalties(request),
    logitBias: resolveBias(request.logitBias ?? [], context.vocabSize),
    allowedTokenIds: resolveAllowed(request.allowedTokenIds, context.vocabSize),
    badWords: resolveBadWords(request.badWords ?? [], context.vocabSize),
  };
}

function resolvePenalties({
  repetitionPenalty = 1,
  presencePenalty = 0,
  frequencyPenalty = 0,
}: SamplingRequest) {
  const isFactor = Number.isFinite(repetitionPenalty) && repetitionPenalty > 0;
  requireRange("repetitionPenalty", repetitionPenalty, isFactor, {
    expected: "a finite number above 0",
  });
  const penalties = { presencePenalty, frequencyPenalty };
  for (const [field, penalty] of Object.entries(penalties)) {
    requireRange(field, penalty, Math.abs(penalty) <= penaltyMax, {
      expected: `-${penaltyMax} .. ${penaltyMax}`,
    });
  }
  return { repetitionPenalty, ...penalties };
}

function resolveBias(
  pairs: Iterable<readonly [tokenId: number, bias: number]>,
  vocabSize: number,
): ReadonlyMap<number, number> {
  const biases = new Map<number, number>();
  let found = 0;
  for (const [tokenId, bias] of pairs) {
    found += 1;
    requireRange("logitBias", found, found <= logitBiasEntriesMax, {
      expected: `at most ${logitBiasEntriesMax} tokens`,
    });
    requireTokenId("sampling.logitBias", tokenId, vocabSize);
    requireRange("logitBias", bias, Math.abs(bias) <= logitBiasMax, {
      expected: `a bias of -${logitBiasMax} .. ${logitBiasMax}`,
    });
    biases.set(tokenId, bias);
  }
  requireRange("logitBias", found, biases.size === found, { expected: "each token once" });
  return biases;
}

function resolveAllowed(
  tokenIds: readonly number[] | undefined,
  vocabSize: number,
): Uint32Array | undefined {
  if (tokenIds === undefined) return undefined;
  const found = tokenIds.length;
  requireRange("allowedTokenIds", found, found >= 1 && found <= allowedTokenIdsMax, {
    expected: `1 .. ${allowedTokenIdsMax} token ids`,
  });
  for (const tokenId of tokenIds) requireTokenId("sampling.allowedTokenIds", tokenId, vocabSize);
  return Uint32Array.from(new Set(tokenIds)).sort();
}

function resolveBadWords(words: readonly (readonly number[])[], vocabSize: number) {
  requireRange("badWords", words.length, words.length <= badWordsMax, {
    expected: `at most ${badWordsMax}`,
  });
  for (const { length } of words) {
    requireRange("badWords", length, length >= 1 && length <= badWordTokensMax, {
      expected: `words of 1 .. ${badWordTokensMax} tokens`,
    });
  }
  for (const tokenId of words.flat()) requireTokenId("sampling.badWords", tokenId, vocabSize);
  return words.map((word) => [...word]);
}

function requireRange(
  field: string,
  found: number | bigint,
  isInRange: boolean,
  range: { expected: string },
): void {
  if (isInRange) return;
  const detail = `${field}: expected ${range.expected}, found ${found}`;
  throw new EngineError("invalid-argument", detail, { field: `sampling.${field}` });
}

/**
 * A token outside the vocabulary is the user's all the same, and stays out of the message.
 *
 * @throws {EngineError} "invalid-argument"
 */
export function requireTokenId(field: string, tokenId: number, vocabSize: number): void {
  if (Number.isInteger(tokenId) && tokenId >= 0 && tokenId < vocabSize) return;
  const name = field.split(".").at(-1);
  const detail = `${name}: expected token ids below ${vocabSize}, found another`;
  throw new EngineError("invalid-argument", detail, { field });
}
