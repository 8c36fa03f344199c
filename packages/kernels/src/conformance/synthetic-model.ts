// Writes a whole model of seeded random weights to one file, in any weight dtype.
import { open } from "node:fs/promises";
import {
  fromBf16Bits,
  type ModelConfig,
  q8BlockSize,
  type StoredDtype,
  type TensorLocation,
  toBf16Bits,
  toExpertId,
  type WeightDtype,
  type WeightFile,
} from "@octet/core";
import {
  type RequiredTensor,
  requiredAttentionTensors,
  requiredExpertTensors,
} from "../validate-weights.ts";
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

/** Tensors start at multiples of this, as no container promises more. */
const alignmentBytes = 8;

/**
 * Most random values drawn for a tensor. A larger one repeats them: whole q8 blocks, an odd number
 * of them, so that the repeats fall out of step with its rows.
 */
const drawnValuesMax = 31_249 * q8BlockSize;

/**
 * Writes every tensor that both engines need of `model`. Matrices are normal with deviation
 * 1 / sqrt(inSize), so that activations keep their size through the layers; the gate is twice as
 * large, so that experts are told apart; norms lie around 1.
 */
export async function writeSyntheticModel(options: SyntheticModelOptions): Promise<WeightFile> {
  const tensors = new Map<string, TensorLocation>();
  let sizeBytes = 0;
  await using file = await open(options.path, "w");
  for (const [index, required] of requiredTensors(options).entries()) {
    if (required.name.endsWith(".scales")) continue; // written with the quants they scale
    const values = drawValues(required, options.seed + index * 7919); // a stream each
    options.edit?.(required.name, values);
    for (const { name, dtype, shape, drawnBytes, lengthBytes } of encode(
      required,
      values,
      options,
    )) {
      const offsetBytes = Math.ceil(sizeBytes / alignmentBytes) * alignmentBytes;
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

function requiredTensors(options: SyntheticModelOptions): RequiredTensor[] {
  const { model, weightDtype, parts = "both" } = options;
  const expertIds = Array.from({ length: model.numExperts }, (_, id) =>
    toExpertId(id, model.numExperts),
  );
  return [
    ...(parts === "experts" ? [] : requiredAttentionTensors(model, weightDtype)),
    ...(parts === "attention" ? [] : requiredExpertTensors(model, weightDtype, expertIds)),
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
  /** Repeated until there are `lengthBytes` of them. */
  readonly drawnBytes: Uint8Array;
  readonly lengthBytes: number;
}

function encode(
  { name, shape, dtypes }: RequiredTensor,
  values: Float32Array,
  { weightDtype, embeddingDtype = weightDtype === "f32" ? "f32" : "bf16" }: SyntheticModelOptions,
): StoredTensor[] {
  const numElements = elementsOf(shape);
  const dtype = dtypes.length > 1 ? embeddingDtype : dtypes[0]!;
  if (dtype === "i8") {
    const { quants, scales } = quantise(values);
    const scaleShape = [shape[0]!, shape[1]! / q8BlockSize];
    const scaleBytes = (numElements / q8BlockSize) * 2;
    return [
      { name, dtype, shape, drawnBytes: bytesOf(quants), lengthBytes: numElements },
      {
        name: `${name}.scales`,
        dtype: "bf16",
        shape: scaleShape,
        drawnBytes: bytesOf(scales),
        lengthBytes: scaleBytes,
      },
    ];
  }
  const drawnBytes = bytesOf(dtype === "f32" ? values : Uint16Array.from(values, toBf16Bits));
  const lengthBytes = numElements * (dtype === "f32" ? 4 : 2);
  return [{ name, dtype, shape, drawnBytes, lengthBytes }];
}

/** Per block: scale bf16(amax / 127), quants the nearest multiples of it within ±127. */
function quantise(values: Float32Array): { quants: Int8Array; scales: Uint16Array } {
  const quants = new Int8Array(values.length);
  const scales = new Uint16Array(values.length / q8BlockSize);
  for (let block = 0; block < scales.length; block++) {
    const first = block * q8BlockSize;
    let amax = 0;
    for (let i = first; i < first + q8BlockSize; i++) amax = Math.max(amax, Math.abs(values[i]!));
    scales[block] = toBf16Bits(amax / 127);
    const scale = fromBf16Bits(scales[block]!);
    for (let i = first; i < first + q8BlockSize; i++) {
      const quant = scale === 0 ? 0 : Math.round(values[i]! / scale);
      quants[i] = Math.max(-127, Math.min(127, quant));
    }
  }
  return { quants, scales };
}

function bytesOf(values: Float32Array | Uint16Array | Int8Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
