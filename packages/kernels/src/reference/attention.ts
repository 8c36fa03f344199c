// Causal attention over keys and values that are already rotated and cached.

/** One sequence's queries and everything they may look back on. */
export interface AttentionInput {
  /** [t, numAttentionHeads × headDim] f32: the queries at startPosition and after. */
  readonly queries: Float32Array;
  /** [startPosition + t, numKeyValueHeads × headDim]: positions 0 and up. */
  readonly keys: Float32Array;
  /** As `keys`. */
  readonly values: Float32Array;
  readonly startPosition: number;
  readonly numAttentionHeads: number;
  readonly numKeyValueHeads: number;
  readonly headDim: number;
  /** W: the token at p sees positions max(0, p - W + 1) .. p; undefined sees 0 .. p. */
  readonly slidingWindow: number | undefined;
}

/**
 * softmax(q · k / sqrt(headDim)) v for every query and head; consecutive query heads share one KV
 * head.
 *
 * @returns [t, numAttentionHeads × headDim] f32
 * @see transformers, masking_utils.py, sliding_window_overlay
 */
export function attention(input: AttentionInput): Float32Array {
  const { numAttentionHeads, headDim, startPosition, slidingWindow } = input;
  const width = numAttentionHeads * headDim;
  const out = new Float32Array(input.queries.length);
  for (let token = 0; token < input.queries.length / width; token++) {
    const last = startPosition + token;
    const first = slidingWindow === undefined ? 0 : Math.max(0, last - slidingWindow + 1);
    for (let head = 0; head < numAttentionHeads; head++) {
      attendHead(input, token, head, { first, last }, out);
    }
  }
  return out;
}

interface PositionRange {
  readonly first: number;
  readonly last: number;
}

function attendHead(
  input: AttentionInput,
  token: number,
  head: number,
  { first, last }: PositionRange,
  out: Float32Array,
): void {
  const { queries, keys, values, headDim, numAttentionHeads, numKeyValueHeads } = input;
  const query = (token * numAttentionHeads + head) * headDim;
  const kvHead = Math.floor((head * numKeyValueHeads) / numAttentionHeads);
  const at = (position: number) => (position * numKeyValueHeads + kvHead) * headDim;
  const scores = new Float64Array(last - first + 1);
  for (let position = first; position <= last; position++) {
    let dot = 0;
    for (let d = 0; d < headDim; d++) dot += queries[query + d]! * keys[at(position) + d]!;
    scores[position - first] = dot / Math.sqrt(headDim);
  }
  const weights = softmax(scores);
  for (let d = 0; d < headDim; d++) {
    let sum = 0;
    for (let i = 0; i < weights.length; i++) sum += weights[i]! * values[at(first + i) + d]!;
    out[query + d] = sum;
  }
}

/** exp(x) over its sum, in f64, shifted by the largest so that nothing overflows. */
export function softmax(x: Float64Array): Float64Array {
  let max = Number.NEGATIVE_INFINITY;
  for (const value of x) max = Math.max(max, value);
  const exps = x.map((value) => Math.exp(value - max));
  let sum = 0;
  for (const value of exps) sum += value;
  return exps.map((value) => value / sum);
}
