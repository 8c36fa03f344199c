// What every attention engine checks of a batch before it opens a step.
import type { AttentionEngine, StepSequence } from "./attention-engine.ts";
import { KernelError } from "./kernel-error.ts";

/** The facts of an engine that a step is checked against. */
export type StepLimits = Pick<AttentionEngine, "model" | "numBlocks" | "blockSizeTokens">;

/**
 * Refuses a batch that would read or write outside the model or the KV pool.
 *
 * Blocks past the last position are not looked at. A block that one sequence writes may be in no
 * other's table: what is read from it would depend on who comes first.
 *
 * @throws {KernelError} "bad-shape" for no sequence, no token, a token outside the vocabulary, a
 *   block table that does not cover the positions, or a block outside the pool, used twice by one
 *   sequence, or written while another sequence of the step uses it
 */
export function validateStepSequences(
  sequences: readonly StepSequence[],
  limits: StepLimits,
): void {
  if (sequences.length === 0) {
    throw new KernelError("bad-shape", "expected at least 1 sequence in a step, found none");
  }
  sequences.forEach((sequence, index) => {
    validateTokens(sequence, index, limits.model.vocabSize);
    validateBlockTable(sequence, index, limits);
  });
  validateBlockWriters(sequences, limits.blockSizeTokens);
}

function validateTokens(sequence: StepSequence, index: number, vocabSize: number): void {
  const { tokenIds, startPosition } = sequence;
  if (tokenIds.length === 0) {
    throw new KernelError("bad-shape", `sequence ${index}: expected at least 1 token, found none`);
  }
  // The token itself is the user's text and stays out of the message.
  const bad = tokenIds.findIndex((id) => id < 0 || id >= vocabSize);
  if (bad >= 0) {
    throw new KernelError(
      "bad-shape",
      `sequence ${index}: its token ${bad} is outside the vocabulary of ${vocabSize}`,
    );
  }
  if (!(Number.isSafeInteger(startPosition) && startPosition >= 0)) {
    throw new KernelError(
      "bad-shape",
      `sequence ${index}: expected a start position of 0 or more, found ${startPosition}`,
    );
  }
}

function validateBlockTable(sequence: StepSequence, index: number, limits: StepLimits): void {
  const { blockTable } = sequence;
  const { numBlocks, blockSizeTokens } = limits;
  const used = usedBlocks(sequence, blockSizeTokens);
  if (blockTable.length < used.count) {
    throw new KernelError(
      "bad-shape",
      `sequence ${index}: ${used.positions} positions need ${used.count} blocks of ` +
        `${blockSizeTokens} tokens, found ${blockTable.length}`,
    );
  }
  const seen = new Set<number>();
  for (const blockId of blockTable.slice(0, used.count)) {
    if (!(Number.isInteger(blockId) && blockId >= 0 && blockId < numBlocks)) {
      throw new KernelError(
        "bad-shape",
        `sequence ${index}: block ${blockId} is outside the pool of ${numBlocks}`,
      );
    }
    if (seen.has(blockId)) {
      throw new KernelError(
        "bad-shape",
        `sequence ${index}: block ${blockId} is in its table twice`,
      );
    }
    seen.add(blockId);
  }
}

function validateBlockWriters(sequences: readonly StepSequence[], blockSizeTokens: number): void {
  const writer = new Map<number, number>();
  sequences.forEach((sequence, index) => {
    const { first, count } = usedBlocks(sequence, blockSizeTokens);
    for (const blockId of sequence.blockTable.slice(first, count)) {
      if (!writer.has(blockId)) writer.set(blockId, index);
    }
  });
  sequences.forEach((sequence, index) => {
    const { count } = usedBlocks(sequence, blockSizeTokens);
    for (const blockId of sequence.blockTable.slice(0, count)) {
      const owner = writer.get(blockId);
      if (owner !== undefined && owner !== index) {
        throw new KernelError(
          "bad-shape",
          `block ${blockId} is written by sequence ${owner} and used by sequence ${index}; ` +
            "give each its own copy",
        );
      }
    }
  });
}

/** Blocks [0, count) of a sequence's table are used, and of those [first, count) written. */
function usedBlocks(sequence: StepSequence, blockSizeTokens: number) {
  const positions = sequence.startPosition + sequence.tokenIds.length;
  return {
    positions,
    first: Math.floor(sequence.startPosition / blockSizeTokens),
    count: Math.ceil(positions / blockSizeTokens),
  };
}
