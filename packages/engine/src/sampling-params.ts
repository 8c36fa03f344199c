// What a caller may ask of sampling, checked once.
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
}

/** How the next token is chosen: in range, nothing unset. */
export interface SamplingParams {
  /** 0 is greedy: the likeliest token, ties to the lowest id; the other fields do not matter. */
  readonly temperature: number;
  /** undefined keeps all. */
  readonly topK: number | undefined;
  readonly topP: number;
  readonly minP: number;
  readonly seed: bigint;
}

/** @throws {EngineError} "invalid-argument", naming the field, its range and what was found */
export function resolveSampling(
  request: SamplingRequest,
  chooseSeed: () => bigint,
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
  const seed = request.seed ?? chooseSeed();
  requireRange("seed", seed, seed >= 0n && seed < 1n << 64n, { expected: "0 .. 2^64 - 1" });
  return { temperature, topK, topP, minP, seed };
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
