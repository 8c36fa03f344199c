// The committed models, and what Hugging Face transformers computed with them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fromBf16Bits } from "@octet/core";

/** The models of models.py. `inBlocks`: whether their widths divide into blocks of 32. */
export const goldenModels = [
  { name: "plain", inBlocks: true },
  { name: "sixteen-experts", inBlocks: true },
  { name: "one-of-four", inBlocks: true },
  { name: "tied", inBlocks: true },
  { name: "sliding-window", inBlocks: true },
  { name: "uneven", inBlocks: false },
] as const;

/** What transformers made of one prompt, with the model loaded in one dtype. */
export interface GoldenRun {
  /** [t, V]: one pass over the whole prompt. */
  readonly logits: Float32Array;
  /** [64]: the likeliest token each time. */
  readonly greedyTokenIds: Int32Array;
  /** [64]: by how much each of them beat the second likeliest. */
  readonly gaps: Float32Array;
}

/** A prompt, and what is known of it. T: its tokens and all of the greedy text but the last. */
export interface GoldenPrompt {
  readonly tokenIds: Int32Array;
  readonly f32: GoldenRun;
  readonly bf16: GoldenRun;
  /** [T, L, K] in f32: each token's experts in each layer, by falling gate logit. */
  readonly experts: Uint8Array;
  /** [T, L] in f32: by how much the gate preferred the last expert chosen to the next. */
  readonly margins: Float32Array;
}

/** The Hugging Face directory of a model. */
export function goldenModelDir(name: string): string {
  return join(import.meta.dirname, "models", name);
}

/** The four prompts of a model: of 1, 9, 17 and 33 tokens. */
export function readGoldenPrompts(name: string): GoldenPrompt[] {
  const tensors = readSafetensors(join(import.meta.dirname, "expected", `${name}.safetensors`));
  const floats = (key: string) => {
    const tensor = tensors.get(key);
    assert(tensor instanceof Float32Array, `${name}: ${key}`);
    return tensor;
  };
  const ids = (key: string) => {
    const tensor = tensors.get(key);
    assert(tensor instanceof Int32Array, `${name}: ${key}`);
    return tensor;
  };
  const bytes = (key: string) => {
    const tensor = tensors.get(key);
    assert(tensor instanceof Uint8Array, `${name}: ${key}`);
    return tensor;
  };
  const run = (label: string): GoldenRun => ({
    logits: floats(`${label}.logits`),
    greedyTokenIds: ids(`${label}.greedy`),
    gaps: floats(`${label}.gaps`),
  });
  return [0, 1, 2, 3].map((index) => ({
    tokenIds: ids(`${index}.prompt`),
    f32: run(`${index}.f32`),
    bf16: run(`${index}.bf16`),
    experts: bytes(`${index}.f32.experts`),
    margins: floats(`${index}.f32.margins`),
  }));
}

interface HeaderEntry {
  readonly dtype: string;
  readonly data_offsets: readonly [number, number];
}

type Tensor = Float32Array | Int32Array | Uint8Array;

/** A reader of its own: what is checked must not be read by what is being checked. */
function readSafetensors(file: string): Map<string, Tensor> {
  const bytes = readFileSync(file);
  const headerEnd = 8 + Number(bytes.readBigUInt64LE(0));
  const header: Record<string, HeaderEntry> = JSON.parse(bytes.toString("utf8", 8, headerEnd));
  const tensors = new Map<string, Tensor>();
  for (const [name, { dtype, data_offsets }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [begin, end] = data_offsets;
    // Copied, so that the elements are aligned.
    const data = Uint8Array.from(bytes.subarray(headerEnd + begin, headerEnd + end));
    tensors.set(name, toTensor(dtype, data));
  }
  return tensors;
}

function toTensor(dtype: string, data: Uint8Array<ArrayBuffer>): Tensor {
  switch (dtype) {
    case "F32":
      return new Float32Array(data.buffer);
    case "I32":
      return new Int32Array(data.buffer);
    case "U8":
      return data;
    case "BF16":
      return Float32Array.from(new Uint16Array(data.buffer), fromBf16Bits);
    default:
      return assert.fail(`unexpected dtype ${dtype}`);
  }
}
