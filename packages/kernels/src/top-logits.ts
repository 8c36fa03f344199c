// The largest logits of a row, where the row is in memory anyway.
import assert from "node:assert/strict";
import { type TopLogits, topLogitsMax } from "./attention-engine.ts";

/** Checks how many logits a caller may ask of each row. */
export function assertTopCount(count: number, vocabSize: number): void {
  const most = Math.min(topLogitsMax, vocabSize);
  const isInRange = Number.isInteger(count) && count >= 1 && count <= most;
  assert(isInRange, `expected 1 to ${most} logits of a row, found ${count}`);
}

/**
 * The `count` largest of each row, by falling logit, ties to the lower id.
 *
 * @param logits [n, V] f32, finite
 */
export function selectTopLogits(
  logits: Float32Array,
  { count, vocabSize: V }: { readonly count: number; readonly vocabSize: number },
): TopLogits {
  assertTopCount(count, V);
  const numRows = logits.length / V;
  assert(Number.isInteger(numRows), `rows of ${V}, found ${logits.length} logits`);
  const tokenIds = new Int32Array(numRows * count);
  const largest = new Float32Array(numRows * count);
  for (let row = 0; row < numRows; row++) {
    const ids = tokenIds.subarray(row * count, (row + 1) * count);
    const values = largest.subarray(row * count, (row + 1) * count);
    selectRow(logits.subarray(row * V, (row + 1) * V), ids, values);
  }
  return { count, tokenIds, logits: largest };
}

/** Keeps what is largest so far in order; of equals, whoever came first stays before. */
function selectRow(logits: Float32Array, ids: Int32Array, values: Float32Array): void {
  let kept = 0;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id]!;
    if (kept === ids.length && !(logit > values[kept - 1]!)) continue;
    let at = kept < ids.length ? kept++ : kept - 1;
    for (; at > 0 && logit > values[at - 1]!; at--) {
      ids[at] = ids[at - 1]!;
      values[at] = values[at - 1]!;
    }
    ids[at] = id;
    values[at] = logit;
  }
}
