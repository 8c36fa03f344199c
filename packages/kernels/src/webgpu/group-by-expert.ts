// A layer's read-back, put in order: each expert's rows, and where its answers will be added.
import type { AttentionShape } from "./attention-shape.ts";

/** What one layer asks of the experts, flat: batch after batch, in ascending expert id. */
export interface FlatDispatch {
  /** [T × K] rows in the dispatch dtype, as they travel. */
  readonly rows: Uint8Array<ArrayBuffer>;
  /** [T × K] */
  readonly tokenIndex: Int32Array<ArrayBuffer>;
  /** [E + 1]: expert e's rows are batchStart[e] .. batchStart[e + 1] - 1. */
  readonly batchStart: Int32Array<ArrayBuffer>;
  /** [T, K] */
  readonly expertIds: Int32Array<ArrayBuffer>;
  readonly combineWeights: Float32Array<ArrayBuffer>;
}

/** What came back: rows as the device has them, and gate.wgsl's routing. */
export interface LayerReadBack {
  readonly numTokens: number;
  readonly hidden: Uint8Array;
  /** [T, 2 K + 1] words */
  readonly routing: Uint32Array;
}

/** Whether gate.wgsl found a logit, or a row, that is not finite. */
export function hasFault({ routing, numTokens }: LayerReadBack, perToken: number): boolean {
  const words = 2 * perToken + 1;
  for (let token = 0; token < numTokens; token++) {
    if (routing[token * words + 2 * perToken] !== 0) return true;
  }
  return false;
}

/**
 * Groups rows by expert.
 *
 * @param rowBytes of a row as it travels
 * @returns the dispatch, and [T, K] of (row among all answers, weight bits), each token's in
 *   ascending expert id: what combine-norm.wgsl takes
 */
export function groupByExpert(
  readBack: LayerReadBack,
  { model, hiddenRowWords }: AttentionShape,
  rowBytes: number,
): { dispatch: FlatDispatch; routes: Uint32Array<ArrayBuffer> } {
  const { numTokens, hidden, routing } = readBack;
  const { numExperts, numExpertsPerToken: K } = model;
  const expertIds = new Int32Array(numTokens * K);
  const weightBits = new Uint32Array(numTokens * K);
  const batchStart = new Int32Array(numExperts + 1);
  for (let token = 0; token < numTokens; token++) {
    const at = token * (2 * K + 1);
    for (let k = 0; k < K; k++) {
      const expert = routing[at + k]!;
      expertIds[token * K + k] = expert;
      weightBits[token * K + k] = routing[at + K + k]!;
      batchStart[expert + 1]! += 1;
    }
  }
  for (let expert = 0; expert < numExperts; expert++)
    batchStart[expert + 1]! += batchStart[expert]!;
  const rows = new Uint8Array(numTokens * K * rowBytes);
  const tokenIndex = new Int32Array(numTokens * K);
  const routes = new Uint32Array(2 * numTokens * K);
  const next = batchStart.slice();
  for (let token = 0; token < numTokens; token++) {
    const first = token * hiddenRowWords * 4;
    const row = hidden.subarray(first, first + rowBytes);
    risingOrder(expertIds.subarray(token * K, (token + 1) * K)).forEach((k, i) => {
      const place = next[expertIds[token * K + k]!]!++;
      tokenIndex[place] = token;
      rows.set(row, place * rowBytes);
      routes[2 * (token * K + i)] = place;
      routes[2 * (token * K + i) + 1] = weightBits[token * K + k]!;
    });
  }
  const combineWeights = new Float32Array(weightBits.buffer);
  return { dispatch: { rows, tokenIndex, batchStart, expertIds, combineWeights }, routes };
}

/** The indices of a token's few experts, by rising id. */
function risingOrder(ids: Int32Array): number[] {
  return Array.from(ids.keys()).sort((a, b) => ids[a]! - ids[b]!);
}
