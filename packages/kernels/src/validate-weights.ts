// Which tensors an engine needs of its weight file, by name, shape and dtype.
import {
  type ExpertId,
  isQuantised,
  type ModelConfig,
  panelShapes,
  type StoredDtype,
  type TensorLocation,
  tensorAlignmentBytes,
  type WeightDtype,
  type WeightFile,
} from "@octet/core";
import { KernelError } from "./kernel-error.ts";

/** One tensor an engine reads. */
export interface RequiredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Any of these will do. */
  readonly dtypes: readonly StoredDtype[];
}

/** A matrix [outSize, inSize]: one tensor, or panels of quants and their scales. */
export function requiredMatrix(
  name: string,
  shape: readonly [outSize: number, inSize: number],
  weightDtype: WeightDtype,
): RequiredTensor[] {
  if (!isQuantised(weightDtype)) return [{ name, shape, dtypes: [weightDtype] }];
  const { quants, scales } = panelShapes(weightDtype, shape);
  return [
    { name, shape: quants, dtypes: ["u8"] },
    { name: `${name}.scales`, shape: scales, dtypes: ["bf16"] },
  ];
}

/** w1, w3 [I, H] and w2 [H, I] of each expert in every layer. */
export function requiredExpertTensors(
  model: ModelConfig,
  weightDtype: WeightDtype,
  expertIds: readonly ExpertId[],
): RequiredTensor[] {
  const { hiddenSize: H, intermediateSize: I } = model;
  const matrix = (name: string, shape: readonly [number, number]) =>
    requiredMatrix(`${name}.weight`, shape, weightDtype);
  return layerPrefixes(model).flatMap((layer) =>
    expertIds.flatMap((expertId) => {
      const expert = `${layer}.block_sparse_moe.experts.${expertId}`;
      return [
        ...matrix(`${expert}.w1`, [I, H]),
        ...matrix(`${expert}.w3`, [I, H]),
        ...matrix(`${expert}.w2`, [H, I]),
      ];
    }),
  );
}

/** Everything that is not an expert. */
export function requiredAttentionTensors(
  model: ModelConfig,
  weightDtype: WeightDtype,
): RequiredTensor[] {
  const { hiddenSize: H, vocabSize: V, headDim, numExperts: E } = model;
  const queryWidth = model.numAttentionHeads * headDim;
  const keyWidth = model.numKeyValueHeads * headDim;
  const f32 = (name: string, ...shape: number[]): RequiredTensor => ({
    name: `${name}.weight`,
    shape,
    dtypes: ["f32"],
  });
  const matrix = (name: string, shape: readonly [number, number]) =>
    requiredMatrix(`${name}.weight`, shape, weightDtype);
  return [
    { name: "model.embed_tokens.weight", shape: [V, H], dtypes: ["f32", "bf16"] },
    ...layerPrefixes(model).flatMap((layer) => [
      f32(`${layer}.input_layernorm`, H),
      ...matrix(`${layer}.self_attn.q_proj`, [queryWidth, H]),
      ...matrix(`${layer}.self_attn.k_proj`, [keyWidth, H]),
      ...matrix(`${layer}.self_attn.v_proj`, [keyWidth, H]),
      ...matrix(`${layer}.self_attn.o_proj`, [H, queryWidth]),
      f32(`${layer}.post_attention_layernorm`, H),
      f32(`${layer}.block_sparse_moe.gate`, E, H),
    ]),
    f32("model.norm", H),
    ...matrix("lm_head", [V, H]),
  ];
}

/**
 * @throws {KernelError} "bad-weights" if a tensor is missing, of another dtype or shape, not
 *   aligned, or not wholly in the file
 */
export function validateWeights(weights: WeightFile, required: readonly RequiredTensor[]): void {
  for (const { name, shape, dtypes } of required) {
    const found = weights.tensors.get(name);
    const expected = `expected ${dtypes.join(" or ")} [${shape.join(", ")}]`;
    if (found === undefined) {
      throw new KernelError("bad-weights", `${weights.path}: ${name}: ${expected}, found none`);
    }
    if (!dtypes.includes(found.dtype) || !sameShape(found.shape, shape)) {
      throw new KernelError(
        "bad-weights",
        `${weights.path}: ${name}: ${expected}, found ${found.dtype} [${found.shape.join(", ")}]`,
      );
    }
    validateExtent(weights, name, found);
  }
}

/** Some of what an engine needs, and the file that has it. */
export interface RequiredOfFile {
  readonly weights: WeightFile;
  readonly required: readonly RequiredTensor[];
}

/**
 * Deals out what is required to the first file that has it.
 *
 * @throws {KernelError} "bad-weights" as {@link validateWeights} does, for a tensor in none of them
 */
export function validateWeightFiles(
  files: readonly WeightFile[],
  required: readonly RequiredTensor[],
): RequiredOfFile[] {
  const parts = files.map((weights) => ({ weights, required: [] as RequiredTensor[] }));
  for (const tensor of required) {
    const part = parts.find(({ weights }) => weights.tensors.has(tensor.name));
    if (part === undefined) {
      const { name, shape, dtypes } = tensor;
      const expected = `expected ${dtypes.join(" or ")} [${shape.join(", ")}]`;
      const where = files.map(({ path }) => path).join(", ");
      throw new KernelError("bad-weights", `${where}: ${name}: ${expected}, found none`);
    }
    part.required.push(tensor);
  }
  for (const { weights, required } of parts) validateWeights(weights, required);
  return parts;
}

function validateExtent(weights: WeightFile, name: string, found: TensorLocation): void {
  const bytes = found.shape.reduce((product, size) => product * size, storedBytes(found.dtype));
  const end = found.offsetBytes + found.lengthBytes;
  if (found.lengthBytes !== bytes || found.offsetBytes < 0 || end > weights.sizeBytes) {
    throw new KernelError(
      "bad-weights",
      `${weights.path}: ${name}: expected ${bytes} bytes within ${weights.sizeBytes}, ` +
        `found ${found.lengthBytes} at ${found.offsetBytes}`,
    );
  }
  if (found.offsetBytes % tensorAlignmentBytes !== 0) {
    throw new KernelError(
      "bad-weights",
      `${weights.path}: ${name}: expected it at a multiple of ${tensorAlignmentBytes} bytes, ` +
        `found it at ${found.offsetBytes}`,
    );
  }
}

function storedBytes(dtype: StoredDtype): number {
  switch (dtype) {
    case "f32":
      return 4;
    case "f16":
    case "bf16":
      return 2;
    case "u8":
      return 1;
  }
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, index) => size === b[index]);
}

function layerPrefixes(model: ModelConfig): string[] {
  return Array.from({ length: model.numLayers }, (_, layer) => `model.layers.${layer}`);
}
