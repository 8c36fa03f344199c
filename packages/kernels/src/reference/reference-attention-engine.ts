// The coordinator's side of the seam in plain TypeScript: what the other engines are held against.
import type {
  AttentionEngine,
  AttentionEngineOptions,
  AttentionStep,
  StepSequence,
} from "../attention-engine.ts";
import { KernelError } from "../kernel-error.ts";
import { assertCounts, validateModel } from "../validate-model.ts";
import { validateStepSequences } from "../validate-step-sequences.ts";
import { loadAttentionWeights } from "./attention-weights.ts";
import { KvPool } from "./kv-pool.ts";
import { ReferenceAttentionStep } from "./reference-attention-step.ts";

/**
 * Opens the oracle for attention: f64 sums rounded to f32 where engines store them, no threads. It
 * computes on the event loop and is for tests and small models.
 *
 * @throws {KernelError} "unsupported" for a model it cannot compute; "bad-weights" for a file that
 *   does not hold the coordinator's tensors
 */
export async function openReferenceAttentionEngine(
  options: AttentionEngineOptions,
): Promise<AttentionEngine> {
  const { model, weightDtype, numBlocks, blockSizeTokens } = options;
  assertCounts({ numBlocks, blockSizeTokens, threads: options.threads });
  validateModel(model, weightDtype);
  const weights = await loadAttentionWeights(options.weights, model, weightDtype);
  const kvPools = Array.from(
    { length: model.numLayers },
    () => new KvPool(model, weightDtype, { numBlocks, blockSizeTokens }),
  );
  let closed = false;
  const checkOpen = () => {
    if (closed) throw new KernelError("closed", "the attention engine was closed; open another");
  };
  return {
    kind: "reference",
    model,
    weightDtype,
    numBlocks,
    blockSizeTokens,
    device: "reference, 1 thread",
    weightBytes: weights.bytes,
    kvBytes: kvPools.reduce((sum, pool) => sum + pool.bytes, 0),
    openStep(sequences: readonly StepSequence[]): AttentionStep {
      checkOpen();
      validateStepSequences(sequences, { model, numBlocks, blockSizeTokens });
      const context = { model, weightDtype, weights, kvPools, checkOpen };
      return new ReferenceAttentionStep(context, sequences);
    },
    async close(): Promise<void> {
      closed = true;
    },
  };
}
