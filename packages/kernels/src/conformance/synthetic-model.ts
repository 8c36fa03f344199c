// Writes a whole model of seeded random weights to one file, in any weight dtype.
import { open } from "node:fs/promises";
import {
  isQuantised,
  type ModelConfig,
  panelRows,
  panelShapes,
  quantBlockSize,
  replyDtype,
  type StoredDtype,
  type TensorLocation,
  tensorAlignmentBytes,
  toBf16Bits,
  toExpertId,
  toF16Bits,
  type WeightDtype,
  type WeightFile,
} from "@octet/core";
import {
  type RequiredTensor,
  requiredAttentionTensors,
  requiredExpertTensors,
} from "../validate-weights.ts";
import { packPanels } from "./pack-panels.ts";
import { normalValues, seededRandom } from "./seeded-random.ts";

/** What to write, and where. */
export interface SyntheticModelOptions {
  readonly path: string;
  readonly model: ModelConfig;
  readonly weightDtype: WeightDtype;
  readonly seed: number;
  /** Which of the two shards' tensors the file holds; both unless told. */
  readonly parts?: "both" | "experts" | "attention";
  /** bf16 unless weights are f32, or told. */
  readonly embeddingDtype?: "f32" | "bf16";
  /** Changes a tensor's values, as drawn, before they are rounded to their dtype. */
  readonly edit?: (name: string, values: Float32Array) => void;
}

/**
 * Most random values drawn for a tensor. A larger one repeats them: whole blocks of sixteen rows,
 * an odd number of them, so that the repeats fall out of step with rows and panels.
 */
const drawnValuesMax = 1953 * panelRows * quantBlockSize;

/**
 * Writes every tensor that both engines need of `model`. Matrices are normal with deviation
 * 1 / sqrt(inSize), so that activations keep their size through the layers; the gate is twice as
 * large, so that experts are told apart; norms lie around 1.
 */
export async function writeSyntheticModel(options: SyntheticModelOptions): Promise<WeightFile> {
  const tensors = new Map<string, TensorLocation>();
  let sizeBytes = 0;
  await using file = await open(options.path, "w");
  for (const [index, plain] of plainTensors(options).entries()) {
    const values = drawValues(plain, options.seed + index * 7919); // a stream each
    options.edit?.(plain.name, values);
    for (const { name, dtype, shape, drawnBytes } of encode(plain, values, options)) {
      const offsetBytes = alignedUp(sizeBytes);
      const lengthBytes = elementsOf(shape) * storedBytes[dtype];
      for (let done = 0; done < lengthBytes; done += drawnBytes.length) {
        const length = Math.min(drawnBytes.length, lengthBytes - done);
        await file.write(drawnBytes, 0, length, offsetBytes + done);
      }
      tensors.set(name, { dtype, shape, offsetBytes, lengthBytes });
      sizeBytes = offsetBytes + lengthBytes;
    }
  }
  return { path: options.path, sizeBytes, tensors };
}

/** Where no tensor of the file can be, although one could start there. */
export function firstAlignedPastEnd({ sizeBytes }: WeightFile): number {
  return alignedUp(sizeBytes);
}

function alignedUp(offsetBytes: number): number {
  return Math.ceil(offsetBytes / tensorAlignmentBytes) * tensorAlignmentBytes;
}

/** The model's tensors as a bf16 file has them: one a matrix, in its own shape. */
function plainTensors({ model, parts = "both" }: SyntheticModelOptions): RequiredTensor[] {
  const expertIds = Array.from({ length: model.numExperts }, (_, id) =>
    toExpertId(id, model.numExperts),
  );
  return [
    ...(parts === "experts" ? [] : requiredAttentionTensors(model, "bf16")),
    ...(parts === "attention" ? [] : requiredExpertTensors(model, "bf16", expertIds)),
  ];
}

/** The tensor's values, or as many as are drawn of a larger one. */
function drawValues({ name, shape }: RequiredTensor, seed: number): Float32Array {
  const count = Math.min(elementsOf(shape), drawnValuesMax);
  const drawn = normalValues(seededRandom(seed), count, deviationOf(name, shape));
  return shape.length === 1 ? drawn.map((value) => 1 + value) : drawn;
}

function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function deviationOf(name: string, shape: readonly number[]): number {
  if (shape.length === 1) return 0.1;
  if (name === "model.embed_tokens.weight") return 1;
  const inSize = shape[1]!;
  return (name.endsWith("gate.weight") ? 2 : 1) / Math.sqrt(inSize);
}

interface StoredTensor {
  readonly name: string;
  readonly dtype: StoredDtype;
  readonly shape: readonly number[];
  /** Repeated until the tensor is full. */
  readonly drawnBytes: Uint8Array;
}

const storedBytes: Readonly<Record<StoredDtype, number>> = { f32: 4, f16: 2, bf16: 2, u8: 1 };

function encode(
  { name, shape, dtypes }: RequiredTensor,
  values: Float32Array,
  { weightDtype, embeddingDtype = replyDtype(weightDtype) }: SyntheticModelOptions,
): StoredTensor[] {
  const dtype = dtypes.length > 1 ? embeddingDtype : dtypes[0] === "f32" ? "f32" : weightDtype;
  if (!isQuantised(dtype)) {
    const toBits = dtype === "f16" ? toF16Bits : toBf16Bits;
    const drawn = dtype === "f32" ? values : Uint16Array.from(values, toBits);
    return [{ name, dtype, shape, drawnBytes: bytesOf(drawn) }];
  }
  const [rows, columns] = [shape[0]!, shape[1]!];
  // What repeats is one panel of some other width: its blocks lie one after the other as well.
  const isWhole = values.length === rows * columns;
  const packed = packPanels(dtype, values, isWhole ? rows : panelRows);
  const shapes = panelShapes(dtype, [rows, columns]);
  return [
    { name, dtype: "u8", shape: shapes.quants, drawnBytes: packed.quants },
    {
      name: `${name}.scales`,
      dtype: "bf16",
      shape: shapes.scales,
      drawnBytes: bytesOf(packed.scales),
    },
  ];
}

function bytesOf(values: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
