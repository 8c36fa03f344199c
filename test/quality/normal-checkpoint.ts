// A checkpoint of one layer and one expert as wide as Mixtral's residual stream, all weights normal.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const config = {
  architectures: ["MixtralForCausalLM"],
  model_type: "mixtral",
  hidden_act: "silu",
  hidden_size: 4096,
  intermediate_size: 512,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 128,
  num_local_experts: 1,
  num_experts_per_tok: 1,
  vocab_size: 64,
  max_position_embeddings: 64,
  rope_theta: 1e6,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: false,
};

const layer = "model.layers.0";
const shapes: Record<string, number[]> = {
  "model.embed_tokens.weight": [64, 4096],
  [`${layer}.input_layernorm.weight`]: [4096],
  [`${layer}.self_attn.q_proj.weight`]: [256, 4096],
  [`${layer}.self_attn.k_proj.weight`]: [128, 4096],
  [`${layer}.self_attn.v_proj.weight`]: [128, 4096],
  [`${layer}.self_attn.o_proj.weight`]: [4096, 256],
  [`${layer}.post_attention_layernorm.weight`]: [4096],
  [`${layer}.block_sparse_moe.gate.weight`]: [1, 4096],
  [`${layer}.block_sparse_moe.experts.0.w1.weight`]: [512, 4096],
  [`${layer}.block_sparse_moe.experts.0.w2.weight`]: [4096, 512],
  [`${layer}.block_sparse_moe.experts.0.w3.weight`]: [512, 4096],
  "model.norm.weight": [4096],
  "lm_head.weight": [64, 4096],
};

/** Writes it to `dir` in f32, the same every time. */
export function writeNormalCheckpoint(dir: string): void {
  mkdirSync(dir, { recursive: true });
  const random = createNormal(20);
  const header: Record<string, unknown> = {};
  const data: Buffer[] = [];
  let end = 0;
  for (const [name, shape] of Object.entries(shapes)) {
    const values = new Float32Array(shape.reduce((product, size) => product * size));
    for (let i = 0; i < values.length; i++) values[i] = 0.02 * random();
    header[name] = { dtype: "F32", shape, data_offsets: [end, end + values.byteLength] };
    end += values.byteLength;
    data.push(Buffer.from(values.buffer));
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(join(dir, "model.safetensors"), Buffer.concat([length, json, ...data]));
  writeFileSync(join(dir, "config.json"), JSON.stringify(config));
  writeFileSync(join(dir, "tokenizer.json"), '{"version":"1.0"}');
}

/** Normal numbers of deviation 1, by Box and Muller from a 32-bit xorshift. */
function createNormal(seed: number): () => number {
  let state = seed;
  const uniform = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
