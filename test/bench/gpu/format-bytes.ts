// What a decoded token has to read of a model's weights, by the format alone.
import { type ModelConfig, quantBlockSize, replyDtype, type WeightDtype } from "@octet/core";

/** Bytes of one weight of a matrix, its share of the block's bf16 scale included. */
const bytesPerWeight: Readonly<Record<WeightDtype, number>> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  q8: 1 + 2 / quantBlockSize,
  q4: 0.5 + 2 / quantBlockSize,
};

/** Norms and gates are kept in f32 whatever the matrices are. */
const plainBytes = 4;

/** Every layer's attention, gate and norms, the experts chosen, a row of the embedding, and logits. */
export function formatBytesPerToken(model: ModelConfig, dtype: WeightDtype): number {
  const { hiddenSize: H, intermediateSize: I, numLayers: L, vocabSize: V, headDim } = model;
  const { numAttentionHeads, numKeyValueHeads, numExperts, numExpertsPerToken } = model;
  const weight = bytesPerWeight[dtype];
  const attention = 2 * (numAttentionHeads + numKeyValueHeads) * headDim * H * weight;
  const experts = numExpertsPerToken * 3 * H * I * weight;
  const plain = (numExperts + 2) * H * plainBytes;
  const embedding = H * (replyDtype(dtype) === "f32" ? 4 : 2);
  return L * (attention + experts + plain) + embedding + H * plainBytes + V * H * weight;
}
