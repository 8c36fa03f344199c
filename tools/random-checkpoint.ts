// Writes a Hugging Face Mixtral checkpoint of any shape with random bf16 weights, to try sharding
// and serving at true width without the real model.
// Usage: node tools/random-checkpoint.ts OUT [--layers 2] [--hidden 4096] [--intermediate 14336]
//   [--experts 8] [--heads 32] [--kv-heads 8] [--vocab 32000] [--tokenizer DIR]
import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { toBf16Bits } from "@octet/core";

const blocks = new Map<string, Uint8Array>();

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Standard deviation; undefined writes ones. */
  readonly deviation: number | undefined;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    layers: { type: "string", default: "2" },
    hidden: { type: "string", default: "4096" },
    intermediate: { type: "string", default: "14336" },
    experts: { type: "string", default: "8" },
    heads: { type: "string", default: "32" },
    "kv-heads": { type: "string", default: "8" },
    vocab: { type: "string", default: "32000" },
    tokenizer: { type: "string" },
  },
});
const [outDir] = positionals;
assert(outDir !== undefined, "name the folder to write to");
const [L, H, I, E, heads, kvHeads, V] = [
  values.layers,
  values.hidden,
  values.intermediate,
  values.experts,
  values.heads,
  values["kv-heads"],
  values.vocab,
].map(Number) as [number, number, number, number, number, number, number];

mkdirSync(outDir, { recursive: true });
writeConfig(outDir);
for (let layer = 0; layer < L; layer++) writeFile(outDir, `layer-${layer}`, layerTensors(layer));
writeFile(outDir, "ends", [
  matrix("model.embed_tokens.weight", V, H, 1),
  { name: "model.norm.weight", shape: [H], deviation: undefined },
  matrix("lm_head.weight", V, H),
]);
writeIndex(outDir);
if (values.tokenizer !== undefined) {
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
    const from = join(values.tokenizer, name);
    if (existsSync(from)) copyFileSync(from, join(outDir, name));
  }
}

/** Weights that keep the variance of what they multiply, unless told otherwise. */
function matrix(name: string, rows: number, cols: number, deviation = 1 / Math.sqrt(cols)): Tensor {
  return { name, shape: [rows, cols], deviation };
}

function layerTensors(layer: number): Tensor[] {
  const prefix = `model.layers.${layer}`;
  const headDim = H / heads;
  const experts = Array.from({ length: E }, (_, expert) => {
    const name = `${prefix}.block_sparse_moe.experts.${expert}`;
    return [
      matrix(`${name}.w1.weight`, I, H),
      matrix(`${name}.w2.weight`, H, I),
      matrix(`${name}.w3.weight`, I, H),
    ];
  });
  return [
    { name: `${prefix}.input_layernorm.weight`, shape: [H], deviation: undefined },
    { name: `${prefix}.post_attention_layernorm.weight`, shape: [H], deviation: undefined },
    matrix(`${prefix}.self_attn.q_proj.weight`, heads * headDim, H),
    matrix(`${prefix}.self_attn.k_proj.weight`, kvHeads * headDim, H),
    matrix(`${prefix}.self_attn.v_proj.weight`, kvHeads * headDim, H),
    matrix(`${prefix}.self_attn.o_proj.weight`, H, heads * headDim),
    matrix(`${prefix}.block_sparse_moe.gate.weight`, E, H),
    ...experts.flat(),
  ];
}

function writeConfig(dir: string): void {
  const config = {
    architectures: ["MixtralForCausalLM"],
    model_type: "mixtral",
    hidden_act: "silu",
    hidden_size: H,
    intermediate_size: I,
    num_hidden_layers: L,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    num_local_experts: E,
    num_experts_per_tok: 2,
    vocab_size: V,
    max_position_embeddings: 32_768,
    rope_theta: 1e6,
    rms_norm_eps: 1e-5,
    sliding_window: null,
    tie_word_embeddings: false,
    bos_token_id: 1,
    eos_token_id: 2,
    torch_dtype: "bfloat16",
  };
  writeFileSync(join(dir, "config.json"), `${JSON.stringify(config, null, 2)}\n`);
}

/** One block of Gaussian bf16 numbers for each deviation; tensors take windows of it. */
function gaussianBlock(deviation: number): Uint8Array {
  // Odd, so that no two rows of a matrix are windows at the same place.
  const count = 4 * 1024 * 1024 - 3;
  const bits = new Uint16Array(count);
  let state = 0x9e3779b9;
  const uniform = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 1) / (2 ** 32 + 1);
  };
  for (let i = 0; i < count; i++) {
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    bits[i] = toBf16Bits(deviation * radius * Math.cos(2 * Math.PI * uniform()));
  }
  return new Uint8Array(bits.buffer);
}

function writeFile(dir: string, name: string, tensors: readonly Tensor[]): void {
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const { name: tensor, shape } of tensors) {
    const bytes = 2 * shape.reduce((a, b) => a * b, 1);
    header[tensor] = { dtype: "BF16", shape, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = openSync(join(dir, `${name}.safetensors`), "w");
  writeSync(file, length);
  writeSync(file, json);
  for (const tensor of tensors) writeTensor(file, tensor);
  process.stderr.write(`${name}.safetensors: ${(end / 1e9).toFixed(2)} GB\n`);
}

function writeTensor(file: number, { name, shape, deviation }: Tensor): void {
  let left = 2 * shape.reduce((a, b) => a * b, 1);
  if (deviation === undefined) {
    writeSync(file, new Uint8Array(new Uint16Array(left / 2).fill(toBf16Bits(1)).buffer));
    return;
  }
  const block = blockFor(deviation);
  // Another window for each tensor, so that no two experts are alike.
  let at = (hashOf(name) % (block.length / 2)) * 2;
  while (left > 0) {
    const bytes = Math.min(left, block.length - at);
    writeSync(file, block, at, bytes);
    left -= bytes;
    at = 0;
  }
}

function blockFor(deviation: number): Uint8Array {
  const key = String(deviation);
  const found = blocks.get(key) ?? gaussianBlock(deviation);
  blocks.set(key, found);
  return found;
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  return hash >>> 0;
}

function writeIndex(dir: string): void {
  const weightMap: Record<string, string> = {};
  for (let layer = 0; layer < L; layer++) {
    for (const { name } of layerTensors(layer)) weightMap[name] = `layer-${layer}.safetensors`;
  }
  for (const name of ["model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"]) {
    weightMap[name] = "ends.safetensors";
  }
  const index = { metadata: {}, weight_map: weightMap };
  writeFileSync(join(dir, "model.safetensors.index.json"), JSON.stringify(index));
}
