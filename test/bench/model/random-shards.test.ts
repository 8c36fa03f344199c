// A small model in the layout of the large ones: whole, as random as it should be, and the same in
// GGUF.
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openShard, readShardSet } from "@octet/checkpoint";
import type { WeightFile } from "@octet/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readQ4Row, readQ8Row } from "../../../packages/kernels/src/reference/panels.ts";
import { type ReadGguf, readGguf, readQ4Blocks, readQ8Blocks } from "../gguf/testing/read-gguf.ts";
import { ggufBytes, writeGguf } from "../gguf/write-gguf.ts";
import { writeBenchTokenizer } from "./bench-tokenizer.ts";
import { tinyMixtral as model } from "./mixtral-width.ts";
import { shardSetBytes, writeRandomShardSet } from "./write-random-shards.ts";

const formats = {
  q4: { ggufType: 2, readPanelRow: readQ4Row, readBlocks: readQ4Blocks, blockBytes: 18 },
  q8: { ggufType: 8, readPanelRow: readQ8Row, readBlocks: readQ8Blocks, blockBytes: 34 },
} as const;

describe.each(["q4", "q8"] as const)("%s", (weightDtype) => {
  const format = formats[weightDtype];
  const random = { name: "small", model, weightDtype };
  let folder: string;
  let gguf: ReadGguf;
  const shards: { weights: WeightFile; bytes: Uint8Array }[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "octet-bench-"));
    const tokenizerDir = join(folder, "tokenizer");
    await writeBenchTokenizer(tokenizerDir, model.vocabSize);
    for (const name of ["first", "second"]) {
      await writeRandomShardSet(random, { outDir: join(folder, name), tokenizerDir });
    }
    const index = await readShardSet(join(folder, "first"));
    for (const { dir } of [index.coordinator, ...index.experts]) {
      const { weights } = await openShard(dir, { verify: true });
      shards.push({ weights, bytes: await readFile(weights.path) });
    }
    await writeGguf(join(folder, "first"), join(folder, "model.gguf"));
    gguf = readGguf(await readFile(join(folder, "model.gguf")));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** A stored tensor's bytes, from whichever shard has it. */
  function stored(name: string): Uint8Array {
    const { weights, bytes } = shards.find((shard) => shard.weights.tensors.has(name))!;
    const { offsetBytes, lengthBytes } = weights.tensors.get(name)!;
    return new Uint8Array(bytes.subarray(offsetBytes, offsetBytes + lengthBytes));
  }

  /** A quantised matrix [N, K], row after row. */
  function storedMatrix(name: string, [rows, columns]: readonly [number, number]): Float64Array {
    const bits = new Uint16Array(stored(`${name}.scales`).buffer);
    const scales = new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);
    const matrix = new Float64Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      const into = matrix.subarray(row * columns, (row + 1) * columns);
      format.readPanelRow({ quants: stored(name), scales }, row, into);
    }
    return matrix;
  }

  /** The first elements of a quantised tensor in the GGUF file. */
  function ggufMatrix(name: string, elements: number): Float64Array {
    const tensor = gguf.tensors.get(name)!;
    expect(tensor.type).toBe(format.ggufType);
    return format.readBlocks(tensor.data.subarray(0, (elements / 32) * format.blockBytes));
  }

  test("a set is as large as was said, and the same every time", async () => {
    const first = await readShardSet(join(folder, "first"));
    const second = await readShardSet(join(folder, "second"));
    expect(second.modelDigest).toBe(first.modelDigest);
    const sizes = [first.coordinator, ...first.experts].map(({ sizeBytes }) => sizeBytes);
    expect(shardSetBytes(random)).toBe(sizes.reduce((a, b) => a + b, 0));
    const digests = [first.coordinator, ...first.experts].map(({ sha256 }) => sha256);
    expect(new Set(digests).size).toBe(1 + model.numExperts);
  });

  test("matrices keep the size of what they multiply", () => {
    const { hiddenSize: H, vocabSize: V } = model;
    const matrix = storedMatrix("lm_head.weight", [V, H]);
    const mean = matrix.reduce((sum, x) => sum + x, 0) / matrix.length;
    const square = matrix.reduce((sum, x) => sum + x * x, 0) / matrix.length;
    expect(Math.sqrt(square * H)).toBeCloseTo(1, 1);
    expect(Math.abs(mean) * Math.sqrt(H)).toBeLessThan(0.05);
    // The quant -128 does not exist in q8.
    if (weightDtype === "q8") expect(stored("lm_head.weight")).not.toContain(0);
  });

  test("the GGUF file has the shape of a Mixtral, and its size", async () => {
    const { size } = await stat(join(folder, "model.gguf"));
    expect(size).toBe(ggufBytes({ modelName: "small", model, weightDtype }));
    expect(gguf.version).toBe(3);
    expect(Object.fromEntries(gguf.metadata)).toMatchObject({
      "general.architecture": "llama",
      "llama.block_count": 2,
      "llama.embedding_length": 64,
      "llama.feed_forward_length": 96,
      "llama.attention.head_count": 4,
      "llama.attention.head_count_kv": 2,
      "llama.attention.key_length": 32,
      "llama.rope.freq_base": 1e6,
      "llama.expert_count": 3,
      "llama.expert_used_count": 2,
      "tokenizer.ggml.bos_token_id": 1,
    });
    const pieces = gguf.metadata.get("tokenizer.ggml.tokens") as string[];
    expect([pieces.length, pieces[1], pieces[3], pieces[258]]).toEqual([
      288,
      "<s>",
      "<0x00>",
      "<0xFF>",
    ]);
    expect(gguf.metadata.get("tokenizer.ggml.token_type")).toHaveLength(288);
    expect(gguf.tensors.size).toBe(3 + 2 * 10);
    expect(gguf.tensors.get("blk.1.ffn_down_exps.weight")!.shape).toEqual([96, 64, 3]);
    expect(gguf.tensors.get("output.weight")!.shape).toEqual([64, 288]);
  });

  test("what is not quantised is copied", () => {
    const pairs = [
      ["token_embd.weight", "model.embed_tokens.weight", 30],
      ["output_norm.weight", "model.norm.weight", 0],
      ["blk.1.attn_norm.weight", "model.layers.1.input_layernorm.weight", 0],
      ["blk.0.ffn_norm.weight", "model.layers.0.post_attention_layernorm.weight", 0],
      ["blk.1.ffn_gate_inp.weight", "model.layers.1.block_sparse_moe.gate.weight", 0],
    ] as const;
    for (const [theirs, ours, type] of pairs) {
      const expected = stored(ours);
      const tensor = gguf.tensors.get(theirs)!;
      expect(tensor.type).toBe(type);
      expect(Buffer.from(tensor.data.subarray(0, expected.length)).equals(expected)).toBe(true);
    }
  });

  test("matrices are the same numbers, experts stacked in order", () => {
    const { hiddenSize: H, intermediateSize: I } = model;
    const kvWidth = model.numKeyValueHeads * model.headDim;
    const layer = "model.layers.1";
    const values = storedMatrix(`${layer}.self_attn.v_proj.weight`, [kvWidth, H]);
    expect(areEqual(ggufMatrix("blk.1.attn_v.weight", kvWidth * H), values)).toBe(true);
    for (const [theirs, ours, shape] of [
      ["ffn_gate_exps", "w1", [I, H]],
      ["ffn_down_exps", "w2", [H, I]],
      ["ffn_up_exps", "w3", [I, H]],
    ] as const) {
      const stack = ggufMatrix(`blk.1.${theirs}.weight`, model.numExperts * I * H);
      for (let expert = 0; expert < model.numExperts; expert++) {
        const name = `${layer}.block_sparse_moe.experts.${expert}.${ours}.weight`;
        const part = stack.subarray(expert * I * H, (expert + 1) * I * H);
        expect(areEqual(part, storedMatrix(name, shape))).toBe(true);
      }
    }
  });

  test.each([
    ["attn_q", "q_proj", model.numAttentionHeads],
    ["attn_k", "k_proj", model.numKeyValueHeads],
  ])("%s has RoPE's pairs side by side", (name, source, numHeads) => {
    const { hiddenSize: H, headDim } = model;
    const rows = numHeads * headDim;
    const theirs = ggufMatrix(`blk.0.${name}.weight`, rows * H);
    const ours = storedMatrix(`model.layers.0.self_attn.${source}.weight`, [rows, H]);
    const row = (matrix: Float64Array, index: number) => matrix.slice(index * H, (index + 1) * H);
    for (let first = 0; first < rows; first += headDim) {
      for (let pair = 0; pair < headDim / 2; pair++) {
        const [even, odd] = [first + 2 * pair, first + 2 * pair + 1];
        expect(areEqual(row(theirs, even), row(ours, first + pair))).toBe(true);
        expect(areEqual(row(theirs, odd), row(ours, first + pair + headDim / 2))).toBe(true);
      }
    }
  });
});

/** A word instead of thousands of numbers, should they differ. */
function areEqual(found: Float64Array, expected: Float64Array): boolean {
  return found.length === expected.length && found.every((value, i) => value === expected[i]);
}
