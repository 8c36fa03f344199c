// A Hugging Face Mixtral checkpoint, checked against its config: every planned tensor has a place.
import type { ModelConfig } from "@octet/core";
import { CheckpointError } from "./checkpoint-error.ts";
import { elementBytes, safetensorsDtype } from "./safetensors-header.ts";
import { type PlannedTensor, plannedTensors, shardsOf } from "./shard-plan.ts";
import {
  closeAll,
  openSourceFiles,
  type SourceFile,
  type SourceTensor,
  tensorsOf,
} from "./source-files.ts";

/** Element types a checkpoint may have. */
export type SourceDtype = "f32" | "f16" | "bf16";

/**
 * How a source names its experts.
 *
 * - original: `block_sparse_moe.experts.3.w1.weight` [I, H], w2 [H, I], w3 [I, H]; what Mistral AI
 *   published and what transformers saves by default;
 * - fused: `mlp.experts.gate_up_proj` [E, 2 I, H], w1 above w3, and `mlp.experts.down_proj`
 *   [E, H, I]; what transformers 5 holds in memory, and saves on request or when offloading.
 *
 * @see transformers 5.23.0, conversion_mapping.py, "mixtral"; models/mixtral/modeling_mixtral.py
 */
export type SourceLayout = "original" | "fused";

/** A contiguous run of elements of one source tensor: all of it, or one expert's part. */
export interface SourceSlice {
  readonly file: SourceFile;
  /** The source's own name. */
  readonly tensor: string;
  readonly dtype: SourceDtype;
  /** The slice's first element, counted from the start of the source tensor. */
  readonly firstElement: number;
  /** From the start of the file. */
  readonly offsetBytes: number;
}

/** An open checkpoint; the caller closes it. */
export interface SourceCheckpoint extends AsyncDisposable {
  readonly layout: SourceLayout;
  readonly files: readonly SourceFile[];
  /** Where a planned tensor comes from; with tied embeddings lm_head.weight is the embedding. */
  sliceOf(tensor: PlannedTensor): SourceSlice;
}

/** Where in the source a planned tensor is expected. */
interface Origin {
  readonly name: string;
  readonly shape: readonly number[];
  readonly firstElement: number;
}

/**
 * Opens the weight files of `dir` and checks that they hold the tensors of `model`, all of them and
 * no others, in the right shapes.
 *
 * @throws {CheckpointError} see {@link readSafetensorsHeader}; "missing-tensor"; "foreign-tensor";
 *   "bad-tensor" for a wrong shape or a dtype other than f32, f16 and bf16
 */
export async function openSourceCheckpoint(
  dir: string,
  model: ModelConfig,
): Promise<SourceCheckpoint> {
  const files = await openSourceFiles(dir);
  try {
    const present = tensorsOf(files);
    const layout = layoutOf(present);
    checkTensors(model, { layout, present, dir });
    return {
      layout,
      files,
      sliceOf: (tensor) => toSlice(originOf(tensor, model, layout), present),
      [Symbol.asyncDispose]: () => closeAll(files),
    };
  } catch (error) {
    await closeAll(files);
    throw error;
  }
}

function layoutOf(present: ReadonlyMap<string, SourceTensor>): SourceLayout {
  const fused = Array.from(present.keys()).some((name) => name.endsWith(".experts.gate_up_proj"));
  return fused ? "fused" : "original";
}

function originOf(tensor: PlannedTensor, model: ModelConfig, layout: SourceLayout): Origin {
  const { name, shape } = tensor;
  if (name === "lm_head.weight" && model.tieWordEmbeddings) {
    return { name: "model.embed_tokens.weight", shape, firstElement: 0 };
  }
  if (layout === "original") return { name, shape, firstElement: 0 };
  const expert = /^(.*)\.block_sparse_moe\.experts\.(\d+)\.(w[123])\.weight$/.exec(name);
  if (expert === null) {
    return { name: name.replace(".block_sparse_moe.", ".mlp."), shape, firstElement: 0 };
  }
  const [, layer, id, which] = expert;
  const { hiddenSize: H, intermediateSize: I, numExperts: E } = model;
  const matrixElements = I * H;
  if (which === "w2") {
    const firstElement = Number(id) * matrixElements;
    return { name: `${layer}.mlp.experts.down_proj`, shape: [E, H, I], firstElement };
  }
  const firstElement = (2 * Number(id) + (which === "w1" ? 0 : 1)) * matrixElements;
  return { name: `${layer}.mlp.experts.gate_up_proj`, shape: [E, 2 * I, H], firstElement };
}

function checkTensors(
  model: ModelConfig,
  source: { layout: SourceLayout; present: ReadonlyMap<string, SourceTensor>; dir: string },
): void {
  const { layout, present, dir } = source;
  const expected = new Map<string, readonly number[]>();
  for (const shard of shardsOf(model)) {
    for (const tensor of plannedTensors(model, shard)) {
      const { name, shape } = originOf(tensor, model, layout);
      expected.set(name, shape);
    }
  }
  for (const [tensor, { file }] of present) {
    if (expected.has(tensor)) continue;
    const tied = tensor === "lm_head.weight" ? " with tied embeddings" : "";
    const detail = `expected no tensor of this name in this model${tied}, found one`;
    throw new CheckpointError("foreign-tensor", { file: file.path, tensor }, { detail });
  }
  for (const [tensor, shape] of expected) {
    const found = present.get(tensor);
    if (found === undefined) {
      const detail = `expected a tensor [${shape.join(", ")}] in this directory, found none`;
      throw new CheckpointError("missing-tensor", { file: dir, tensor }, { detail });
    }
    checkTensor(tensor, shape, found);
  }
}

function checkTensor(tensor: string, shape: readonly number[], found: SourceTensor): void {
  const at = { file: found.file.path, tensor };
  const { dtype } = found.location;
  if (found.location.shape.join() !== shape.join()) {
    const detail = `expected [${shape.join(", ")}], found [${found.location.shape.join(", ")}]`;
    throw new CheckpointError("bad-tensor", at, { detail });
  }
  if (dtype === "u8") {
    const detail = `expected F32, F16 or BF16, found ${safetensorsDtype[dtype]}`;
    throw new CheckpointError("bad-tensor", at, { detail });
  }
}

function toSlice(origin: Origin, present: ReadonlyMap<string, SourceTensor>): SourceSlice {
  const { file, location } = present.get(origin.name)!; // checkTensors has seen it
  const dtype = location.dtype as SourceDtype; // checkTensor has refused u8
  const offsetBytes = location.offsetBytes + origin.firstElement * elementBytes[dtype];
  return { file, tensor: origin.name, dtype, firstElement: origin.firstElement, offsetBytes };
}
