// What every attention engine checks of the experts' answers before it combines them.
import { replyDtype, type WeightDtype } from "@octet/core";
import type { ExpertBatch, ExpertOutput } from "./attention-engine.ts";
import { KernelError } from "./kernel-error.ts";
import { validateRows } from "./validate-expert-call.ts";

/** What the step asked of the experts, and in which dtype it expects the answers. */
export interface ExpectedOutputs {
  /** The layer before's batches, in ascending expert id; none before layer 0. */
  readonly batches: readonly Pick<ExpertBatch, "expertId" | "tokenIndex">[];
  readonly weightDtype: WeightDtype;
  readonly hiddenSize: number;
}

/**
 * The outputs in the order of the batches they answer, whatever order they came in.
 *
 * @throws {KernelError} "bad-shape" if an output is missing, double, unasked for, or of another
 *   dtype, width or number of rows than its batch
 */
export function validatePrevious(
  previous: readonly ExpertOutput[],
  expected: ExpectedOutputs,
): ExpertOutput[] {
  const outputs = new Map<number, ExpertOutput>();
  for (const output of previous) {
    if (outputs.has(output.expertId)) {
      throw new KernelError(
        "bad-shape",
        `expert ${output.expertId}: expected one output, found two`,
      );
    }
    outputs.set(output.expertId, output);
  }
  const ordered = expected.batches.map(({ expertId, tokenIndex }) => {
    const output = outputs.get(expertId);
    if (output === undefined) {
      throw new KernelError(
        "bad-shape",
        `expert ${expertId}: expected an output of ${tokenIndex.length} rows, found none`,
      );
    }
    validateRows(output.output, {
      what: `expert ${expertId} output`,
      dtype: replyDtype(expected.weightDtype),
      width: expected.hiddenSize,
      rows: tokenIndex.length,
    });
    outputs.delete(expertId);
    return output;
  });
  for (const expertId of outputs.keys()) {
    throw new KernelError(
      "bad-shape",
      `expert ${expertId}: found an output that no token asked for`,
    );
  }
  return ordered;
}
