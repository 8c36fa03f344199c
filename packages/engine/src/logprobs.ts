// How likely the model found tokens, before anybody's wishes changed what was chosen.
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { selectTopLogits } from "@octet/kernels";

/** A token and the natural logarithm of its probability. */
export interface TokenLogprob {
  readonly tokenId: number;
  readonly logprob: number;
}

/** The token at one place, and what else the model might have said there. */
export interface TokenLogprobs {
  readonly chosen: TokenLogprob;
  /** The chosen token's place by falling probability, ties to the lower id; 1 for the likeliest. */
  readonly rank: number;
  /**
   * As many as were asked for, likeliest first; the chosen one is there too if it is one of them. Or
   * the tokens that were asked for, in that order.
   */
  readonly top: readonly TokenLogprob[];
}

/**
 * The log-softmax, in f64, of one row of the model's logits: as vLLM's default, before penalties,
 * biases, masks and temperature.
 *
 * @param logits [V], finite
 * @param listed how many of the likeliest to list, 0 .. topLogprobsMax and no more than V; or which
 * @see vllm 3e34265, vllm/v1/sample/sampler.py, Sampler.forward, logprobs_mode "raw_logprobs"
 */
export function logprobsOf(
  logits: Float32Array,
  tokenId: number,
  listed: number | readonly number[],
): TokenLogprobs {
  const chosenLogit = logits[tokenId]!;
  let max = chosenLogit;
  let rank = 1;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id]!;
    if (logit > max) max = logit;
    if (logit > chosenLogit || (logit === chosenLogit && id < tokenId)) rank += 1;
  }
  let sum = 0;
  for (let id = 0; id < logits.length; id++) sum += Math.exp(logits[id]! - max);
  const logSum = Math.log(sum);
  const logprobOf = (id: number) => ({ tokenId: id, logprob: logits[id]! - max - logSum });
  const top = typeof listed === "number" ? likeliest(logits, listed) : listed;
  return { chosen: logprobOf(tokenId), rank, top: top.map(logprobOf) };
}

function likeliest(logits: Float32Array, numTop: number): readonly number[] {
  const count = Math.min(numTop, logits.length);
  if (count === 0) return [];
  return Array.from(selectTopLogits(logits, { count, vocabSize: logits.length }).tokenIds);
}

/** Rows worked out before others have their turn: at V = 32000, some 2 ms. */
const rowsAtOnce = 4;

/** How likely a prompt's own tokens were, as its chunks are computed. */
export class PromptScore {
  readonly #promptTokenIds: Int32Array;
  readonly #numTop: number;
  /** The first token not scored yet; nothing says how likely token 0 was. */
  #next = 1;

  constructor(promptTokenIds: Int32Array, numTop: number) {
    this.#promptTokenIds = promptTokenIds;
    this.#numTop = numTop;
  }

  /** Whether rows of logits up to, not including, position `end` score a token that has no score. */
  needs(end: number): boolean {
    return this.#next < this.#promptTokenIds.length && this.#next <= end;
  }

  /**
   * Scores the tokens after those of a chunk; lets others have their turn meanwhile.
   *
   * @param logits [n, V], finite, of the n positions from `start` on; every token before was scored
   * @returns of each token that had no score yet
   */
  async score(logits: Float32Array, start: number, vocabSize: number): Promise<TokenLogprobs[]> {
    assert(start < this.#next, `rows from ${start} on, but token ${this.#next} has no score`);
    const end = Math.min(start + logits.length / vocabSize + 1, this.#promptTokenIds.length);
    const first = this.#next;
    this.#next = Math.max(first, end);
    const scores: TokenLogprobs[] = [];
    for (let token = first; token < end; token++) {
      const row = token - 1 - start;
      const rowLogits = logits.subarray(row * vocabSize, (row + 1) * vocabSize);
      scores.push(logprobsOf(rowLogits, this.#promptTokenIds[token]!, this.#numTop));
      if (scores.length % rowsAtOnce === 0) await setImmediate();
    }
    return scores;
  }
}
