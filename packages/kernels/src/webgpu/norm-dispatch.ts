// combine-norm.wgsl: what comes into the residual stream, and its norm.
import type { BoundStep } from "./attention-buffers.ts";
import { dispatchOf, floatBits } from "./attention-kernels.ts";
import type { AttentionShape } from "./attention-shape.ts";
import type { Dispatch } from "./device/commands.ts";
import type { GpuMatrix } from "./gpu-matrix.ts";
import type { AttentionContext, LayerRun, NormInput } from "./layer-run.ts";

/** One norm of rows of the residual stream. */
export interface Norm {
  readonly input: NormInput;
  readonly weight: GPUBuffer;
  /** Which rows of the residual stream. */
  readonly rows: GPUBuffer;
}

export function norm(
  { shape, kernels, groups, weights }: AttentionContext,
  { step, scratch, tables }: LayerRun,
  { input, weight, rows }: Norm,
): Dispatch {
  const { model, hiddenStride, hiddenRowWords } = shape;
  const isFinal = rows === step.logitRows;
  const numRows = isFinal ? tables.logitRows.length : tables.numTokens;
  const source = normSource(input, { shape, step, embedding: weights.embedding });
  const { perToken, rowWords, from, routes } = source;
  const eps = floatBits(model.rmsNormEps);
  const width = model.hiddenSize;
  const lookedUp = input.kind === "embedding" ? numRows * rowWords * 4 : 0;
  return dispatchOf(input.kind === "embedding" ? kernels.embed : kernels.combine, groups, {
    buffers: [
      step.residual,
      from,
      routes,
      rows,
      weight,
      scratch.hidden,
      scratch.normed,
      scratch.faults,
    ],
    parameters: Uint32Array.of(width, hiddenStride, perToken, rowWords, hiddenRowWords, eps),
    workgroups: [numRows, 1],
    weightBytesRead: width * 4 + lookedUp,
  });
}

function normSource(
  input: NormInput,
  of: { shape: AttentionShape; step: BoundStep; embedding: GpuMatrix },
): { perToken: number; rowWords: number; from: GPUBuffer; routes: GPUBuffer } {
  const { shape, step, embedding } = of;
  switch (input.kind) {
    case "embedding": {
      const elementBytes = embedding.dtype === "f32" ? 4 : 2;
      const rowWords = (embedding.numBlocks * 32 * elementBytes) / 4;
      return { perToken: 1, rowWords, from: embedding.elements, routes: step.embeddingRoutes };
    }
    case "replies": {
      const perToken = shape.model.numExpertsPerToken;
      const { replies, routes } = input;
      return { perToken, rowWords: shape.replyRowWords, from: replies, routes };
    }
    case "nothing":
      // Something has to be bound.
      return { perToken: 0, rowWords: 0, from: step.tokens, routes: step.tokens };
  }
}
