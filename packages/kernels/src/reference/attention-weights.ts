// The coordinator's tensors, opened once and named for what they do.
import type { ModelConfig, WeightDtype, WeightFile } from "@octet/core";
import { requiredAttentionTensors } from "../validate-weights.ts";
import { type Matrix, openMatrix } from "./matrix.ts";
import { readTensors, totalBytes } from "./weight-reader.ts";

/** One layer's tensors, experts excepted. */
export interface LayerWeights {
  readonly inputNorm: Float32Array;
  readonly query: Matrix;
  readonly key: Matrix;
  readonly value: Matrix;
  readonly output: Matrix;
  readonly postAttentionNorm: Float32Array;
  readonly gate: Matrix;
}

/** Everything that is not an expert. */
export interface AttentionWeights {
  readonly embedding: Matrix;
  readonly layers: readonly LayerWeights[];
  readonly finalNorm: Float32Array;
  readonly lmHead: Matrix;
  readonly bytes: number;
}

/** @throws {KernelError} "bad-weights" if a tensor is missing, misshapen or cannot be read */
export async function loadAttentionWeights(
  weights: WeightFile,
  model: ModelConfig,
  weightDtype: WeightDtype,
): Promise<AttentionWeights> {
  const tensors = await readTensors(weights, requiredAttentionTensors(model, weightDtype));
  const { hiddenSize: H, vocabSize: V, headDim, numExperts: E } = model;
  const queryWidth = model.numAttentionHeads * headDim;
  const keyWidth = model.numKeyValueHeads * headDim;
  const vector = (name: string) => new Float32Array(tensors.get(`${name}.weight`)!.buffer);
  const matrix = (name: string, outSize: number, inSize: number, dtype = weightDtype) =>
    openMatrix(tensors, `${name}.weight`, { dtype, shape: [outSize, inSize] });
  const embeddingDtype = weights.tensors.get("model.embed_tokens.weight")!.dtype;
  return {
    embedding: matrix("model.embed_tokens", V, H, embeddingDtype === "f32" ? "f32" : "bf16"),
    layers: Array.from({ length: model.numLayers }, (_, layer) => {
      const prefix = `model.layers.${layer}`;
      return {
        inputNorm: vector(`${prefix}.input_layernorm`),
        query: matrix(`${prefix}.self_attn.q_proj`, queryWidth, H),
        key: matrix(`${prefix}.self_attn.k_proj`, keyWidth, H),
        value: matrix(`${prefix}.self_attn.v_proj`, keyWidth, H),
        output: matrix(`${prefix}.self_attn.o_proj`, H, queryWidth),
        postAttentionNorm: vector(`${prefix}.post_attention_layernorm`),
        gate: matrix(`${prefix}.block_sparse_moe.gate`, E, H, "f32"),
      };
    }),
    finalNorm: vector("model.norm"),
    lmHead: matrix("lm_head", V, H),
    bytes: totalBytes(tensors),
  };
}
