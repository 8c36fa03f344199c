// Sequences of random tokens with blocks of their own, cut into steps as a test likes.
import assert from "node:assert/strict";
import { type BlockId, type ModelConfig, toBlockId } from "@octet/core";
import type { StepSequence } from "../attention-engine.ts";
import { randomTokens, seededRandom } from "./seeded-random.ts";

/** One sequence from its first token to its last. */
export interface PlannedSequence {
  readonly tokenIds: Int32Array;
  readonly blockTable: readonly BlockId[];
}

/** A pool of KV blocks and the sequences that share it out. */
export interface SequencePlan {
  /** Tokens of each sequence. */
  readonly lengths: readonly number[];
  readonly blockSizeTokens: number;
  readonly seed: number;
}

/** Sequences whose blocks lie scattered over the pool, in no order and with gaps. */
export function planSequences(model: ModelConfig, plan: SequencePlan): PlannedSequence[] {
  const random = seededRandom(plan.seed);
  const free = shuffledBlocks(numBlocksFor(plan), plan.seed);
  return plan.lengths.map((length) => {
    const blockTable = free.splice(0, Math.ceil(length / plan.blockSizeTokens));
    assert.equal(blockTable.length, Math.ceil(length / plan.blockSizeTokens), "blocks left");
    return { tokenIds: randomTokens(random, length, model.vocabSize), blockTable };
  });
}

/** Blocks in the pool of a plan: a few more than its sequences need. */
export function numBlocksFor({ lengths, blockSizeTokens }: SequencePlan): number {
  const spare = 3;
  return lengths.reduce((sum, length) => sum + Math.ceil(length / blockSizeTokens), spare);
}

/** The part of a sequence that holds tokens `first` .. `end` - 1; all of it unless told. */
export function part(
  sequence: PlannedSequence,
  logits: StepSequence["logits"] = "all",
  { first = 0, end = sequence.tokenIds.length }: { first?: number; end?: number } = {},
): StepSequence {
  const { tokenIds, blockTable } = sequence;
  return { tokenIds: tokenIds.slice(first, end), startPosition: first, blockTable, logits };
}

function shuffledBlocks(numBlocks: number, seed: number): BlockId[] {
  const random = seededRandom(seed + 1);
  const blocks = Array.from({ length: numBlocks }, (_, id) => toBlockId(id));
  for (let i = blocks.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [blocks[i], blocks[j]] = [blocks[j]!, blocks[i]!];
  }
  return blocks;
}
