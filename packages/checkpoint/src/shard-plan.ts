// Which tensors each shard of a model holds, in the order they lie in its file.
import assert from "node:assert/strict";
import {
  type ExpertId,
  isQuantised,
  type ModelConfig,
  panelShapes,
  replyDtype,
  toExpertId,
  type WeightDtype,
} from "@octet/core";
import { alignTensors, type NamedTensor } from "./safetensors-header.ts";

/** Which part of the model a shard is. */
export type ShardKey =
  | { readonly kind: "coordinator" }
  | { readonly kind: "expert"; readonly expertId: ExpertId };

/** A tensor of the model, before it is known how it will be stored. */
export interface PlannedTensor {
  /** Hugging Face's name for it. */
  readonly name: string;
  readonly shape: readonly number[];
  /**
   * A `matrix` is stored in the weight dtype. The `embedding`, whose rows are looked up and not
   * multiplied, is bf16, or f32 with f32 and f16. A `vector` (norms) and the gate are always f32.
   */
  readonly role: "matrix" | "embedding" | "vector" | "gate";
}

/** The coordinator's shard, then one for each expert. */
export function shardsOf(model: ModelConfig): ShardKey[] {
  const experts = Array.from({ length: model.numExperts }, (_, id): ShardKey => {
    return { kind: "expert", expertId: toExpertId(id, model.numExperts) };
  });
  return [{ kind: "coordinator" }, ...experts];
}

/** The folder of a shard within its set: "coordinator", "expert-00" .. "expert-63". */
export function folderOf(shard: ShardKey): string {
  if (shard.kind === "coordinator") return "coordinator";
  return `expert-${String(shard.expertId).padStart(2, "0")}`;
}

/**
 * The tensors of one shard: those that are always f32, then the rest in layer order, as sources
 * have them.
 */
export function plannedTensors(model: ModelConfig, shard: ShardKey): PlannedTensor[] {
  return shard.kind === "coordinator"
    ? coordinatorTensors(model)
    : expertTensors(model, shard.expertId);
}

/** Every tensor of a shard's file, padding included, in the order they lie in it. */
export function shardTensors(
  model: ModelConfig,
  shard: ShardKey,
  weightDtype: WeightDtype,
): NamedTensor[] {
  const planned = plannedTensors(model, shard);
  return alignTensors(planned.flatMap((tensor) => storedTensors(tensor, weightDtype)));
}

/** How a planned tensor rests in a shard: one tensor, or quants and their scales. */
export function storedTensors(tensor: PlannedTensor, weightDtype: WeightDtype): NamedTensor[] {
  const { name, shape } = tensor;
  switch (tensor.role) {
    case "vector":
    case "gate":
      return [{ name, dtype: "f32", shape }];
    case "embedding":
      return [{ name, dtype: replyDtype(weightDtype), shape }];
    case "matrix": {
      if (!isQuantised(weightDtype)) return [{ name, dtype: weightDtype, shape }];
      const { quants, scales } = panelShapes(weightDtype, matrixShape(tensor));
      return [
        { name, dtype: "u8", shape: quants },
        { name: `${name}.scales`, dtype: "bf16", shape: scales },
      ];
    }
  }
}

/** Rows and columns of a tensor that is a matrix. */
export function matrixShape({ name, shape }: PlannedTensor): readonly [number, number] {
  const [rows, columns] = shape;
  assert(rows !== undefined && columns !== undefined && shape.length === 2, `${name} is a matrix`);
  return [rows, columns];
}

function coordinatorTensors(model: ModelConfig): PlannedTensor[] {
  const { hiddenSize: H, vocabSize: V, numExperts: E, headDim } = model;
  const queryWidth = model.numAttentionHeads * headDim;
  const keyWidth = model.numKeyValueHeads * headDim;
  const alwaysF32 = layerPrefixes(model).flatMap((layer): PlannedTensor[] => [
    { name: `${layer}.input_layernorm.weight`, shape: [H], role: "vector" },
    { name: `${layer}.post_attention_layernorm.weight`, shape: [H], role: "vector" },
    { name: `${layer}.block_sparse_moe.gate.weight`, shape: [E, H], role: "gate" },
  ]);
  const attention = layerPrefixes(model).flatMap((layer): PlannedTensor[] => [
    { name: `${layer}.self_attn.q_proj.weight`, shape: [queryWidth, H], role: "matrix" },
    { name: `${layer}.self_attn.k_proj.weight`, shape: [keyWidth, H], role: "matrix" },
    { name: `${layer}.self_attn.v_proj.weight`, shape: [keyWidth, H], role: "matrix" },
    { name: `${layer}.self_attn.o_proj.weight`, shape: [H, queryWidth], role: "matrix" },
  ]);
  return [
    ...alwaysF32,
    { name: "model.norm.weight", shape: [H], role: "vector" },
    { name: "model.embed_tokens.weight", shape: [V, H], role: "embedding" },
    ...attention,
    { name: "lm_head.weight", shape: [V, H], role: "matrix" },
  ];
}

function expertTensors(model: ModelConfig, expertId: ExpertId): PlannedTensor[] {
  const { hiddenSize: H, intermediateSize: I } = model;
  return layerPrefixes(model).flatMap((layer): PlannedTensor[] => {
    const expert = `${layer}.block_sparse_moe.experts.${expertId}`;
    return [
      { name: `${expert}.w1.weight`, shape: [I, H], role: "matrix" },
      { name: `${expert}.w2.weight`, shape: [H, I], role: "matrix" },
      { name: `${expert}.w3.weight`, shape: [I, H], role: "matrix" },
    ];
  });
}

function layerPrefixes(model: ModelConfig): string[] {
  return Array.from({ length: model.numLayers }, (_, layer) => `model.layers.${layer}`);
}
