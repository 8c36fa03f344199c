// Writes small Hugging Face directories for tests, right ones and wrong ones.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toBf16Bits } from "@octet/core";

/** A tensor as a test wants it in a file. */
export interface SyntheticTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** What a directory is made of; tests alter it before it is written. */
export interface SyntheticCheckpoint {
  readonly config: Record<string, unknown>;
  readonly tensors: Map<string, SyntheticTensor>;
}

/** A model small enough to shard in milliseconds, with sizes that differ from each other. */
export const tinyConfig = {
  architectures: ["MixtralForCausalLM"],
  model_type: "mixtral",
  hidden_act: "silu",
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 24,
  num_local_experts: 3,
  num_experts_per_tok: 2,
  vocab_size: 50,
  max_position_embeddings: 256,
  rope_theta: 10_000,
  rms_norm_eps: 1e-5,
  sliding_window: null,
  tie_word_embeddings: false,
  bos_token_id: 1,
  eos_token_id: 2,
};

/** Random weights for {@link tinyConfig} with `overrides`. */
export function createSynthetic(
  overrides: Partial<Record<keyof typeof tinyConfig, unknown>> = {},
  options: { dtype?: "F32" | "F16" | "BF16"; fused?: boolean; seed?: number } = {},
): SyntheticCheckpoint {
  const config = { ...tinyConfig, ...overrides } as typeof tinyConfig;
  const random = createRandom(options.seed ?? 1);
  const tensors = new Map(
    Array.from(shapesOf(config, options.fused === true), ([name, shape]) => [
      name,
      randomTensor(options.dtype ?? "BF16", shape, random),
    ]),
  );
  return { config, tensors };
}

/** Writes config.json, tokenizer.json and the weights: one file, or `files` with an index. */
export function writeSynthetic(dir: string, made: SyntheticCheckpoint, files = 1): string {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "config.json"), JSON.stringify(made.config));
  writeFileSync(join(dir, "tokenizer.json"), '{"version":"1.0"}');
  if (files === 1) {
    writeFileSync(join(dir, "model.safetensors"), encodeSafetensors(made.tensors));
    return dir;
  }
  const weightMap: Record<string, string> = {};
  const entries = [...made.tensors];
  const perFile = Math.ceil(entries.length / files);
  for (let i = 0; i < files; i++) {
    const name = `model-${String(i + 1).padStart(5, "0")}-of-${String(files).padStart(5, "0")}`;
    const part = entries.slice(i * perFile, (i + 1) * perFile);
    for (const [tensor] of part) weightMap[tensor] = `${name}.safetensors`;
    writeFileSync(join(dir, `${name}.safetensors`), encodeSafetensors(new Map(part)));
  }
  const index = { metadata: { total_size: 0 }, weight_map: weightMap };
  writeFileSync(join(dir, "model.safetensors.index.json"), JSON.stringify(index));
  return dir;
}

/** A safetensors file, by the format's own description; independent of the code under test. */
export function encodeSafetensors(tensors: ReadonlyMap<string, SyntheticTensor>): Buffer {
  let end = 0;
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  for (const [name, { dtype, shape, data }] of tensors) {
    header[name] = { dtype, shape, data_offsets: [end, end + data.length] };
    end += data.length;
  }
  return withHeader(
    JSON.stringify(header),
    [...tensors.values()].map(({ data }) => data),
  );
}

/** A file with a header of the test's own making. */
export function withHeader(json: string, data: readonly Uint8Array[]): Buffer {
  const header = Buffer.from(json);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([prefix, header, ...data]);
}

/** Names and shapes of a checkpoint, as Hugging Face publishes or (`fused`) keeps them. */
export function shapesOf(c: typeof tinyConfig, fused = false): Map<string, number[]> {
  const [H, I, E, V] = [c.hidden_size, c.intermediate_size, c.num_local_experts, c.vocab_size];
  const headDim = c.head_dim ?? H / c.num_attention_heads;
  const [q, kv] = [c.num_attention_heads * headDim, c.num_key_value_heads * headDim];
  const shapes = new Map<string, number[]>([["model.embed_tokens.weight", [V, H]]]);
  for (let l = 0; l < c.num_hidden_layers; l++) {
    const layer = `model.layers.${l}`;
    if (fused) {
      shapes.set(`${layer}.mlp.gate.weight`, [E, H]);
      shapes.set(`${layer}.mlp.experts.gate_up_proj`, [E, 2 * I, H]);
      shapes.set(`${layer}.mlp.experts.down_proj`, [E, H, I]);
    } else {
      const moe = `${layer}.block_sparse_moe`;
      for (let e = 0; e < E; e++) {
        shapes.set(`${moe}.experts.${e}.w1.weight`, [I, H]);
        shapes.set(`${moe}.experts.${e}.w2.weight`, [H, I]);
        shapes.set(`${moe}.experts.${e}.w3.weight`, [I, H]);
      }
      shapes.set(`${moe}.gate.weight`, [E, H]);
    }
    shapes.set(`${layer}.input_layernorm.weight`, [H]);
    shapes.set(`${layer}.post_attention_layernorm.weight`, [H]);
    shapes.set(`${layer}.self_attn.k_proj.weight`, [kv, H]);
    shapes.set(`${layer}.self_attn.o_proj.weight`, [H, q]);
    shapes.set(`${layer}.self_attn.q_proj.weight`, [q, H]);
    shapes.set(`${layer}.self_attn.v_proj.weight`, [kv, H]);
  }
  shapes.set("model.norm.weight", [H]);
  if (!c.tie_word_embeddings) shapes.set("lm_head.weight", [V, H]);
  return shapes;
}

/** Uniform in -0.5 .. 0.5; the same seed gives the same numbers (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32 - 0.5;
  };
}

function randomTensor(dtype: string, shape: number[], random: () => number): SyntheticTensor {
  const count = shape.reduce((a, b) => a * b, 1);
  const values = Float32Array.from({ length: count }, random);
  return { dtype, shape, data: encode(dtype, values) };
}

function encode(dtype: string, values: Float32Array): Uint8Array {
  if (dtype === "F32") return new Uint8Array(values.buffer);
  const toBits = dtype === "BF16" ? toBf16Bits : toF16Bits;
  return new Uint8Array(Uint16Array.from(values, toBits).buffer);
}

/** Truncates to f16; enough for making numbers. */
function toF16Bits(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  const sign = (bits >>> 16) & 0x8000;
  return exponent <= 0 ? sign : sign | (exponent << 10) | ((bits >>> 13) & 0x3ff);
}
