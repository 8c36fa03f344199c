// Which rows of a step, of its batches and of its logits belong to which sequence.
import assert from "node:assert/strict";
import type { ExpertBatch, StepSequence, TopLogits } from "@octet/kernels";

/** Whose a row of a step is, and which of theirs. */
export interface RowOwner<S> {
  readonly sequence: S;
  /** From 0. */
  readonly index: number;
}

/** [T]: the sequence that each row of the step belongs to. */
export function rowOwners<S extends StepSequence>(group: readonly S[]): RowOwner<S>[] {
  return group.flatMap((sequence) =>
    Array.from(sequence.tokenIds, (_, index) => ({ sequence, index })),
  );
}

/** Which of its rows each sequence has in a batch, rising. */
export function rowsOf<S>(batch: ExpertBatch, owners: readonly RowOwner<S>[]): Map<S, number[]> {
  const rows = new Map<S, number[]>();
  for (const row of batch.tokenIndex) {
    const { sequence, index } = owners[row]!;
    const known = rows.get(sequence);
    if (known === undefined) rows.set(sequence, [index]);
    else known.push(index);
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

/** Of logits of several rows one's: 0 is the last, 1 the one before it. */
export function rowFromEnd(
  logits: SequenceLogits,
  fromEnd: number,
  vocabSize: number,
): SequenceLogits {
  const rowOf = <A extends Float32Array | Int32Array>(values: A, width: number) => {
    const end = values.length - fromEnd * width;
    assert(end >= width, `row ${fromEnd} from the end of ${values.length / width}`);
    return values.subarray(end - width, end) as A;
  };
  if (logits.kind === "all") return { kind: "all", logits: rowOf(logits.logits, vocabSize) };
  const { count, tokenIds, logits: values } = logits.top;
  return {
    kind: "top",
    top: { count, tokenIds: rowOf(tokenIds, count), logits: rowOf(values, count) },
  };
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
