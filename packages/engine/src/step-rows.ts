// Which rows of a step, of its batches and of its logits belong to which sequence.
import assert from "node:assert/strict";
import type { ExpertBatch, StepSequence, TopLogits } from "@octet/kernels";

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

/** What a sequence gets of its rows: all logits, or the largest. */
export type SequenceLogits =
  /** [n, V] f32 */
  | { readonly kind: "all"; readonly logits: Float32Array }
  | { readonly kind: "top"; readonly top: TopLogits };

/** Each sequence's rows of [n, V], as views of them. */
export function splitLogits(
  group: readonly StepSequence[],
  logits: Float32Array,
  vocabSize: number,
): SequenceLogits[] {
  const ranges = logitRanges(group);
  assert.equal(logits.length, ranges.at(-1)!.end * vocabSize, "logits for another number of rows");
  return ranges.map(({ start, end }) => ({
    kind: "all",
    logits: logits.subarray(start * vocabSize, end * vocabSize),
  }));
}

/** Each sequence's rows of the largest logits, as views of them. */
export function splitTopLogits(group: readonly StepSequence[], top: TopLogits): SequenceLogits[] {
  const { count, tokenIds, logits } = top;
  const ranges = logitRanges(group);
  assert.equal(logits.length, ranges.at(-1)!.end * count, "logits for another number of rows");
  return ranges.map(({ start, end }) => ({
    kind: "top",
    top: {
      count,
      tokenIds: tokenIds.subarray(start * count, end * count),
      logits: logits.subarray(start * count, end * count),
    },
  }));
}

/** Of logits of several rows the last one's. */
export function lastRow(logits: SequenceLogits, vocabSize: number): SequenceLogits {
  if (logits.kind === "top") return logits;
  return { kind: "all", logits: logits.logits.subarray(logits.logits.length - vocabSize) };
}

/** Which of a step's rows of logits each sequence asked for. */
function logitRanges(group: readonly StepSequence[]): { start: number; end: number }[] {
  let row = 0;
  return group.map(({ logits, tokenIds }) => {
    const start = row;
    if (logits === "last") row += 1;
    if (logits === "all") row += tokenIds.length;
    return { start, end: row };
  });
}
