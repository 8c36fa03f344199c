// One random matrix in a file of its own and on a device, with what it multiplies.
import { writeFile } from "node:fs/promises";
import {
  type ActivationRows,
  dispatchDtype,
  isQuantised,
  panelShapes,
  type TensorLocation,
  tensorAlignmentBytes,
  toBf16Bits,
  toF16Bits,
  type WeightDtype,
  type WeightFile,
} from "@octet/core";
import { packPanels } from "../../conformance/pack-panels.ts";
import { normalValues, seededRandom } from "../../conformance/seeded-random.ts";
import { decodeActivations, encodeActivations } from "../../reference/activation-rows.ts";
import { multiply, openMatrix } from "../../reference/matrix.ts";
import { readTensors } from "../../reference/weight-reader.ts";
import type { GpuDevice } from "../device/gpu-device.ts";
import { Uploader } from "../device/uploader.ts";
import { type GpuMatrix, type MatrixSource, uploadMatrix } from "../gpu-matrix.ts";
import { WeightFiles } from "../weight-files.ts";

/** A matrix in a file and what it makes of rows, in f64. */
export interface MatrixFixture {
  readonly source: MatrixSource;
  readonly weights: WeightFile;
  /** [rows, outSize] */
  expected(x: ActivationRows): Promise<Float32Array>;
  upload(device: GpuDevice): Promise<GpuMatrix>;
}

/**
 * @param values row by row; by default normal ones of deviation 1 / sqrt(inSize)
 */
export async function writeMatrix(
  path: string,
  dtype: WeightDtype,
  shape: readonly [number, number],
  values = normalMatrix(shape),
): Promise<MatrixFixture> {
  const weights = await writeTensors(path, storedTensors(dtype, values, shape));
  const source = { name: "w", dtype, shape };
  return {
    source,
    weights,
    async expected(x) {
      const required = [...weights.tensors].map(([name, { dtype: stored, shape }]) => ({
        name,
        shape,
        dtypes: [stored],
      }));
      const tensors = await readTensors(weights, required);
      return multiply(decodeActivations(x), openMatrix(tensors, "w", source));
    },
    async upload(device) {
      await using files = new WeightFiles([weights]);
      const uploader = new Uploader(device);
      const matrix = await uploadMatrix(uploader, files, { device, source });
      await uploader.finish();
      return matrix;
    },
  };
}

function normalMatrix([outSize, inSize]: readonly [number, number]): Float32Array {
  const random = seededRandom(outSize * 31 + inSize);
  return normalValues(random, outSize * inSize, 1 / Math.sqrt(inSize));
}

/** [numRows, inSize] of normal values in the dtype that the matrix's kernel takes. */
export function rowsFor({ dtype, shape }: MatrixSource, numRows: number): ActivationRows {
  const values = normalValues(seededRandom(numRows), numRows * shape[1]);
  return encodeActivations(values, shape[1], dispatchDtype(dtype));
}

type Stored = Pick<TensorLocation, "dtype" | "shape"> & {
  readonly name: string;
  readonly values: Uint8Array | Uint16Array | Float32Array;
};

function storedTensors(
  dtype: WeightDtype,
  values: Float32Array,
  shape: readonly [number, number],
): Stored[] {
  if (isQuantised(dtype)) {
    const { quants, scales } = packPanels(dtype, values, shape[0]);
    const shapes = panelShapes(dtype, shape);
    return [
      { name: "w", dtype: "u8", shape: shapes.quants, values: quants },
      { name: "w.scales", dtype: "bf16", shape: shapes.scales, values: scales },
    ];
  }
  const toBits = dtype === "f16" ? toF16Bits : toBf16Bits;
  const stored = dtype === "f32" ? values : Uint16Array.from(values, toBits);
  return [{ name: "w", dtype, shape, values: stored }];
}

async function writeTensors(path: string, stored: readonly Stored[]): Promise<WeightFile> {
  const tensors = new Map<string, TensorLocation>();
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  for (const { name, dtype, shape, values } of stored) {
    const { buffer, byteOffset, byteLength } = values;
    tensors.set(name, { dtype, shape, offsetBytes: sizeBytes, lengthBytes: byteLength });
    const padding = (tensorAlignmentBytes - (byteLength % tensorAlignmentBytes)) % 64;
    pieces.push(new Uint8Array(buffer, byteOffset, byteLength), new Uint8Array(padding));
    sizeBytes += byteLength + padding;
  }
  await writeFile(path, Buffer.concat(pieces));
  return { path, sizeBytes, tensors };
}
