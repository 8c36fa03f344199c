// What llama.cpp wants to find in a Mixtral's GGUF file, and which of our tensors it is.
import assert from "node:assert/strict";
import type { ShardSetIndex } from "@octet/checkpoint";
import { isQuantised, type ModelConfig } from "@octet/core";
import { benchPieces, ggufTokenTypes } from "../model/bench-tokenizer.ts";
import type { GgufTensor, GgufTensorType, GgufValue } from "./gguf-header.ts";

/** A tensor and what it is made from. */
export interface PlannedGgufTensor extends GgufTensor {
  /** Names of our tensors; several are stacked. */
  readonly sources: readonly string[];
  /** Where each row of the source goes; where it is, if undefined. */
  readonly targetRow: ((row: number) => number) | undefined;
}

/** What is known of a set of shards before it is opened. */
export type DescribedModel = Pick<ShardSetIndex, "modelName" | "model" | "weightDtype">;

/** All tensors of the file, in its order. */
export function mixtralTensors({ model, weightDtype }: DescribedModel): PlannedGgufTensor[] {
  assert(isQuantised(weightDtype), `no GGUF of ${weightDtype}`);
  const type = weightDtype === "q4" ? "Q4_0" : "Q8_0";
  const { hiddenSize: H, vocabSize: V } = model;
  const layers = Array.from({ length: model.numLayers }, (_, layer) =>
    layerTensors(model, layer, type),
  );
  return [
    tensor("token_embd", "BF16", [V, H], ["model.embed_tokens"]),
    tensor("output_norm", "F32", [H], ["model.norm"]),
    tensor("output", type, [V, H], ["lm_head"]),
    ...layers.flat(),
  ];
}

function layerTensors(
  model: ModelConfig,
  layer: number,
  type: GgufTensorType,
): PlannedGgufTensor[] {
  const { hiddenSize: H, intermediateSize: I, numExperts: E, headDim } = model;
  const queryWidth = model.numAttentionHeads * headDim;
  const keyWidth = model.numKeyValueHeads * headDim;
  const ours = (name: string) => `model.layers.${layer}.${name}`;
  const theirs = (name: string) => `blk.${layer}.${name}`;
  const experts = (name: string) =>
    Array.from({ length: E }, (_, expert) => ours(`block_sparse_moe.experts.${expert}.${name}`));
  const targetRow = (row: number) => interleavedRow(row, headDim);
  return [
    tensor(theirs("attn_norm"), "F32", [H], [ours("input_layernorm")]),
    { ...tensor(theirs("attn_q"), type, [queryWidth, H], [ours("self_attn.q_proj")]), targetRow },
    { ...tensor(theirs("attn_k"), type, [keyWidth, H], [ours("self_attn.k_proj")]), targetRow },
    tensor(theirs("attn_v"), type, [keyWidth, H], [ours("self_attn.v_proj")]),
    tensor(theirs("attn_output"), type, [H, queryWidth], [ours("self_attn.o_proj")]),
    tensor(theirs("ffn_norm"), "F32", [H], [ours("post_attention_layernorm")]),
    tensor(theirs("ffn_gate_inp"), "F32", [E, H], [ours("block_sparse_moe.gate")]),
    tensor(theirs("ffn_gate_exps"), type, [E, I, H], experts("w1")),
    tensor(theirs("ffn_down_exps"), type, [E, H, I], experts("w2")),
    tensor(theirs("ffn_up_exps"), type, [E, I, H], experts("w3")),
  ];
}

/** @param shape slowest dimension first */
function tensor(
  name: string,
  type: GgufTensorType,
  shape: readonly number[],
  sources: readonly string[],
): PlannedGgufTensor {
  return {
    name: `${name}.weight`,
    type,
    shape: shape.toReversed(),
    sources: sources.map((source) => `${source}.weight`),
    targetRow: undefined,
  };
}

/**
 * RoPE turns pairs of a head's elements. In Hugging Face's order a pair is i and i + headDim / 2;
 * in that of llama.cpp's "llama" models it is 2i and 2i + 1.
 */
export function interleavedRow(row: number, headDim: number): number {
  const within = row % headDim;
  const half = headDim / 2;
  return row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
}

/** The file's metadata: shape, and a tokenizer that spells every id. */
export function mixtralMetadata({
  modelName,
  model,
  weightDtype,
}: DescribedModel): ReadonlyMap<string, GgufValue> {
  const u32 = (value: number): GgufValue => ({ type: "u32", value });
  const f32 = (value: number): GgufValue => ({ type: "f32", value });
  const string = (value: string): GgufValue => ({ type: "string", value });
  const pieces = benchPieces(model.vocabSize);
  return new Map<string, GgufValue>([
    ["general.architecture", string("llama")],
    ["general.name", string(modelName)],
    // llama.cpp's numbers for "mostly Q4_0" and "mostly Q8_0".
    ["general.file_type", u32(weightDtype === "q4" ? 2 : 7)],
    ["llama.block_count", u32(model.numLayers)],
    ["llama.context_length", u32(model.maxPositions)],
    ["llama.embedding_length", u32(model.hiddenSize)],
    ["llama.feed_forward_length", u32(model.intermediateSize)],
    ["llama.attention.head_count", u32(model.numAttentionHeads)],
    ["llama.attention.head_count_kv", u32(model.numKeyValueHeads)],
    ["llama.attention.key_length", u32(model.headDim)],
    ["llama.attention.value_length", u32(model.headDim)],
    ["llama.attention.layer_norm_rms_epsilon", f32(model.rmsNormEps)],
    ["llama.rope.dimension_count", u32(model.headDim)],
    ["llama.rope.freq_base", f32(model.ropeTheta)],
    ["llama.expert_count", u32(model.numExperts)],
    ["llama.expert_used_count", u32(model.numExpertsPerToken)],
    ["llama.vocab_size", u32(model.vocabSize)],
    ["tokenizer.ggml.model", string("llama")],
    ["tokenizer.ggml.tokens", { type: "strings", value: pieces }],
    ["tokenizer.ggml.scores", { type: "f32s", value: pieces.map((_, id) => -id) }],
    ["tokenizer.ggml.token_type", { type: "i32s", value: ggufTokenTypes(model.vocabSize) }],
    ["tokenizer.ggml.bos_token_id", u32(model.bosTokenId ?? 1)],
    ["tokenizer.ggml.eos_token_id", u32(model.eosTokenIds[0] ?? 2)],
  ]);
}
