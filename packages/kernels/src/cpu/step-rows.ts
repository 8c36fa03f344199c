import type { StepSequence } from "../attention-engine.ts";
import type { NativeStepOptions } from "./native-addon.ts";

/** The sequences' tokens as the rows of one batch, in their order. */
export function flattenSequences(sequences: readonly StepSequence[]): NativeStepOptions {
  const numTokens = sequences.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0);
  const tokenIds = new Int32Array(numTokens);
  const positions = new Int32Array(numTokens);
  const owners = new Int32Array(numTokens);
  const logitRows: number[] = [];
  let first = 0;
  sequences.forEach((sequence, index) => {
    const end = first + sequence.tokenIds.length;
    tokenIds.set(sequence.tokenIds, first);
    owners.fill(index, first, end);
    for (let row = first; row < end; row++) {
      positions[row] = sequence.startPosition + row - first;
      if (sequence.logits === "all" || (sequence.logits === "last" && row === end - 1)) {
        logitRows.push(row);
      }
    }
    first = end;
  });
  return {
    tokenIds,
    positions,
    sequences: owners,
    blockTables: sequences.map(({ blockTable }) => Int32Array.from(blockTable)),
    logitRows: Int32Array.from(logitRows),
  };
}
