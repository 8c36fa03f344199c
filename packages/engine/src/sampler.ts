// The next token as a function of (logits, parameters, position): no state, no hidden chance.
import assert from "node:assert/strict";
import { type TopLogits, topLogitsMax } from "@octet/kernels";
import { adjustsLogits } from "./adjust-logits.ts";
import { EngineError } from "./engine-error.ts";
import { LikeliestFirst } from "./likeliest-first.ts";
import { uniformAt } from "./philox.ts";
import type { SamplingParams } from "./sampling-params.ts";

/**
 * Chooses one token. Equal arguments give equal tokens, on any machine with the same JavaScript
 * engine, so a sequence that is resumed or retried goes on with the same tokens.
 *
 * Temperature 0 takes the largest logit, ties to the lowest id. Otherwise, in f64 and in this
 * order: weights exp((logit - largest) / temperature); the topK likeliest stay (ties to the lower
 * id); of these the fewest likeliest whose weights reach topP of their sum; of these the ones of
 * at least minP times the likeliest's weight. One draw by (seed, position) then picks among what
 * is left in proportion to weight, counted in rising id. The likeliest token is always left.
 *
 * @param logits [V]
 * @param position of the token being chosen, in its sequence
 * @throws {EngineError} "internal" if a logit is NaN or infinite
 */
export function sampleToken(
  logits: Float32Array,
  params: SamplingParams,
  position: number,
): number {
  const range = rangeOf(logits);
  if (params.temperature === 0) return logits.indexOf(range.max);
  const scale = { max: range.max, temperature: params.temperature };
  const filtered = params.topK !== undefined || params.topP < 1 || params.minP > 0;
  if (!filtered) return pick(weigh(logits, scale), { params, position });
  const ids = filterTokens(logits, params, range);
  const kept = Float32Array.from(ids, (id) => logits[id]!);
  return ids[pick(weigh(kept, scale), { params, position })]!;
}

/**
 * How many of the largest logits decide what is sampled: 1 for greedy, topK; undefined if more than
 * an engine hands out, or all of them, do, as when some are changed before.
 */
export function topLogitsNeeded(params: SamplingParams, vocabSize: number): number | undefined {
  if (adjustsLogits(params)) return undefined;
  const { temperature, topK } = params;
  if (temperature === 0) return 1;
  if (topK === undefined || topK >= vocabSize || topK > topLogitsMax) return undefined;
  return topK;
}

/**
 * Chooses the token that {@link sampleToken} would of all the logits.
 *
 * @param top of one row, at least as many as {@link topLogitsNeeded} says
 */
export function sampleTopToken(top: TopLogits, params: SamplingParams, position: number): number {
  const { tokenIds } = top;
  const { temperature, topK, topP, minP } = params;
  if (temperature === 0) return tokenIds[0]!;
  assert(topK !== undefined && topK <= tokenIds.length, `${tokenIds.length} logits are too few`);
  const logits = top.logits.subarray(0, topK);
  const scale = { max: logits[0]!, temperature };
  const logitOf = (rank: number) => logits[rank]!;
  const enough = enoughFor(topP, logits, scale);
  const kept = countKept(logitOf, { ...scale, end: topK, enough, minP });
  const ranks = Array.from({ length: kept }, (_, rank) => rank);
  ranks.sort((a, b) => tokenIds[a]! - tokenIds[b]!);
  const weights = weigh(
    Float32Array.from(ranks, (rank) => logits[rank]!),
    scale,
  );
  return tokenIds[ranks[pick(weights, { params, position })]!]!;
}

interface LogitRange {
  readonly min: number;
  readonly max: number;
}

function rangeOf(logits: Float32Array): LogitRange {
  assert(logits.length > 0, "no logits");
  let min = logits[0]!;
  let max = min;
  let zero = 0; // NaN as soon as a logit is NaN or infinite
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id]!;
    if (logit > max) max = logit;
    if (logit < min) min = logit;
    zero += logit * 0;
  }
  if (zero !== 0) {
    const found = logits.find((logit) => !Number.isFinite(logit));
    throw new EngineError("internal", `expected finite logits, found ${found}`);
  }
  return { min, max };
}

/** @throws {EngineError} "internal" if a logit is NaN or infinite */
export function requireFinite(logits: Float32Array): void {
  rangeOf(logits);
}

/** What makes a weight of a logit: the likeliest token's is 1. */
interface WeightScale {
  readonly max: number;
  readonly temperature: number;
}

function weigh(logits: Float32Array, { max, temperature }: WeightScale): Float64Array {
  const weights = new Float64Array(logits.length);
  for (let i = 0; i < logits.length; i++) weights[i] = Math.exp((logits[i]! - max) / temperature);
  return weights;
}

/** Logits, falling. */
type LogitOfRank = (rank: number) => number;

/** Where filtering stops, and what a token weighs. */
interface Filter extends WeightScale {
  /** Ranks from here on are dropped. */
  readonly end: number;
  /** What the kept tokens' weights have to reach. */
  readonly enough: number;
  readonly minP: number;
}

/** Ranks before which no token is dropped; at least one. */
function countKept(logitOf: LogitOfRank, { end, enough, minP, max, temperature }: Filter): number {
  let reached = 0;
  for (let rank = 0; rank < end; rank++) {
    const weight = Math.exp((logitOf(rank) - max) / temperature);
    if (reached >= enough || weight < minP) return rank;
    reached += weight;
  }
  return end;
}

/** What topP asks of the weights of `likeliest`, summed in their order. */
function enoughFor(topP: number, likeliest: Float32Array, scale: WeightScale): number {
  return topP < 1 ? topP * sum(weigh(likeliest, scale)) : Number.POSITIVE_INFINITY;
}

/** The ids that topK, topP and minP leave, in rising order; at least one. */
function filterTokens(
  logits: Float32Array,
  { topK = logits.length, topP, minP, temperature }: SamplingParams,
  range: LogitRange,
): Uint32Array {
  const end = Math.min(topK, logits.length);
  const ranked = new LikeliestFirst(logits, range);
  const logitOf = (rank: number) => logits[ranked.at(rank)]!;
  const likeliest =
    end < logits.length ? Float32Array.from({ length: end }, (_, rank) => logitOf(rank)) : logits;
  const scale = { max: range.max, temperature };
  const enough = enoughFor(topP, likeliest, scale);
  const kept = countKept(logitOf, { ...scale, end, enough, minP });
  return Uint32Array.from({ length: kept }, (_, rank) => ranked.at(rank)).sort();
}

function sum(weights: Float64Array): number {
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i]!;
  return total;
}

/** The first index at which the running sum passes a random share of it all. */
function pick(weights: Float64Array, draw: { params: SamplingParams; position: number }): number {
  const target = uniformAt(draw.params.seed, draw.position) * sum(weights);
  let reached = 0;
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i]!;
    if (weight === 0) continue;
    last = i;
    reached += weight;
    if (reached > target) return i;
  }
  return last; // a share so near 1 that the product rounded up to the sum
}
