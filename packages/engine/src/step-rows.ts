// Which rows of a step, of its batches and of its logits belong to which sequence.
import assert from "node:assert/strict";
import type { ExpertBatch, StepSequence } from "@octet/kernels";

/** [T]: the sequence that each row of the step belongs to. */
export function rowOwners<S extends StepSequence>(group: readonly S[]): S[] {
  return group.flatMap((sequence) =>
    Array.from<S>({ length: sequence.tokenIds.length }).fill(sequence),
  );
}

/** How many of a batch's rows each sequence has in it. */
export function rowsOf<S>(batch: ExpertBatch, owners: readonly S[]): Map<S, number> {
  const rows = new Map<S, number>();
  for (const row of batch.tokenIndex) {
    const owner = owners[row]!;
    rows.set(owner, (rows.get(owner) ?? 0) + 1);
  }
  return rows;
}

/** [n, V] for each sequence: the rows it asked for, views of the step's logits. */
export function splitLogits(
  group: readonly StepSequence[],
  logits: Float32Array,
  vocabSize: number,
): Float32Array[] {
  let row = 0;
  const split = group.map((sequence) => {
    const start = row;
    if (sequence.logits === "last") row += 1;
    if (sequence.logits === "all") row += sequence.tokenIds.length;
    return logits.subarray(start * vocabSize, row * vocabSize);
  });
  assert.equal(logits.length, row * vocabSize, "logits for another number of rows");
  return split;
}
