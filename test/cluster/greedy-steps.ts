// The plainest loop there is over the compute seam: prompts in, logits of every step out.
import { type BlockId, type ExpertId, toBlockId } from "@octet/core";
import type { ExpertClient } from "@octet/engine";
import type { AttentionEngine, ExpertOutput, StepSequence } from "@octet/kernels";

/** Longest one expert call may take in a test. */
const deadlineMs = 10_000;

/** What one sequence went through. */
export interface GreedyTrace {
  readonly tokenIds: number[];
  /** [V] for each token sampled. */
  readonly logits: Float32Array[];
}

/**
 * Continues all prompts together, greedily, one step after another. Blocks are handed out in turn,
 * so that the sequences' tables interleave.
 */
export async function greedySteps(
  attention: AttentionEngine,
  experts: ExpertClient,
  prompts: readonly (readonly number[])[],
  numTokens: number,
): Promise<GreedyTrace[]> {
  const { vocabSize } = attention.model;
  const traces = prompts.map((): GreedyTrace => ({ tokenIds: [], logits: [] }));
  const tables = interleavedTables(attention, prompts, numTokens);
  let next = prompts.map((prompt) => Int32Array.from(prompt));
  const positions = prompts.map(() => 0);
  for (let n = 0; n < numTokens; n++) {
    const sequences = next.map(
      (tokenIds, i): StepSequence => ({
        tokenIds,
        startPosition: positions[i]!,
        blockTable: tables[i]!,
        logits: "last",
      }),
    );
    const logits = await runStep(attention, experts, sequences);
    next.forEach((tokenIds, i) => {
      positions[i]! += tokenIds.length;
    });
    next = traces.map((trace, i) => {
      const row = logits.slice(i * vocabSize, (i + 1) * vocabSize);
      const best = row.indexOf(row.reduce((a, b) => Math.max(a, b)));
      trace.logits.push(row);
      trace.tokenIds.push(best);
      return Int32Array.of(best);
    });
  }
  return traces;
}

async function runStep(
  attention: AttentionEngine,
  experts: ExpertClient,
  sequences: readonly StepSequence[],
): Promise<Float32Array> {
  const step = attention.openStep(sequences);
  let previous: ExpertOutput[] = [];
  for (let layer = 0; layer < attention.model.numLayers; layer++) {
    const { batches } = await step.runLayer(layer, previous);
    previous = await Promise.all(
      batches.map(async ({ expertId, input }): Promise<ExpertOutput> => {
        const { output } = await experts.forward({ layer, expertId, input }, { deadlineMs });
        return { expertId: expertId as ExpertId, output };
      }),
    );
    // Whoever answered last goes first: the combine must not care.
    previous.reverse();
  }
  return step.finish(previous);
}

function interleavedTables(
  attention: AttentionEngine,
  prompts: readonly (readonly number[])[],
  numTokens: number,
): BlockId[][] {
  const numBlocks = prompts.map((prompt) =>
    Math.ceil((prompt.length + numTokens) / attention.blockSizeTokens),
  );
  const tables = prompts.map((): BlockId[] => []);
  let nextBlock = 0;
  for (let round = 0; round < Math.max(...numBlocks); round++) {
    tables.forEach((table, i) => {
      if (round < numBlocks[i]!) table.push(toBlockId(nextBlock++));
    });
  }
  return tables;
}
