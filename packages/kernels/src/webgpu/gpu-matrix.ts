// Weight matrices in the device's memory, as the shard holds them.
import {
  isQuantised,
  panelRows,
  panelShapes,
  quantBlockSize,
  type TensorLocation,
  type WeightDtype,
  type WeightFile,
} from "@octet/core";
import { bufferUsage } from "./device/buffer-usage.ts";
import type { GpuDevice } from "./device/gpu-device.ts";
import type { Uploader } from "./device/uploader.ts";
import type { WeightFiles } from "./weight-files.ts";

/**
 * A matrix [outSize, inSize]. Rows are filled up with zeros to whole blocks of 32 columns, and the
 * matrix with rows of zeros to whole panels of 16; of real models both are whole already.
 */
export interface GpuMatrix {
  readonly dtype: WeightDtype;
  readonly outSize: number;
  readonly inSize: number;
  readonly numPanels: number;
  readonly numBlocks: number;
  /** Quants of panels, or the elements row by row: 16-byte pieces. */
  readonly elements: GPUBuffer;
  /** bf16 [P, numBlocks, 16]; of quantised matrices alone. */
  readonly scales: GPUBuffer | undefined;
  /** What a kernel reads that reads it all. */
  readonly sizeBytes: number;
}

/** What to upload. */
export interface MatrixSource {
  readonly name: string;
  readonly dtype: WeightDtype;
  readonly shape: readonly [outSize: number, inSize: number];
}

const elementBytes = { f32: 4, bf16: 2 } as const;

/** The buffers of a matrix, in the order in which kernels bind them. */
export function matrixBuffers({ elements, scales }: GpuMatrix): GPUBuffer[] {
  return scales === undefined ? [elements] : [elements, scales];
}

export function destroyMatrix(matrix: GpuMatrix): void {
  for (const buffer of matrixBuffers(matrix)) buffer.destroy();
}

/**
 * Uploads the matrix that `files` hold under that name; they have been checked. The caller
 * destroys its buffers.
 *
 * @throws {KernelError} "bad-weights" if a file is not as long as it says; "device-lost"
 */
export async function uploadMatrix(
  uploader: Uploader,
  files: WeightFiles,
  { device, source }: { readonly device: GpuDevice; readonly source: MatrixSource },
): Promise<GpuMatrix> {
  const { name, dtype, shape } = source;
  const [outSize, inSize] = shape;
  const numPanels = Math.ceil(outSize / panelRows);
  const numBlocks = Math.ceil(inSize / quantBlockSize);
  const usage = bufferUsage.storage | bufferUsage.copyTarget;
  const upload = async (tensor: string, bytes: number, rows?: { count: number; bytes: number }) => {
    const buffer = device.createBuffer(tensor, bytes, usage);
    const { weights, location, file } = await files.find(tensor);
    const { count, bytes: rowBytes } = rows ?? { count: 1, bytes: location.lengthBytes };
    await uploader.upload(
      { file, ...place(weights, tensor, location), rows: count, rowBytes },
      { buffer, rowBytes: rows === undefined ? rowBytes : bytes / (numPanels * panelRows) },
    );
    return buffer;
  };
  const common = { dtype, outSize, inSize, numPanels, numBlocks };
  if (!isQuantised(dtype)) {
    const size = elementBytes[dtype];
    const sizeBytes = numPanels * panelRows * numBlocks * quantBlockSize * size;
    const elements = await upload(name, sizeBytes, { count: outSize, bytes: inSize * size });
    return { ...common, elements, scales: undefined, sizeBytes };
  }
  const shapes = panelShapes(dtype, shape);
  const quantBytes = shapes.quants.reduce((product, length) => product * length, 1);
  const scaleBytes = shapes.scales.reduce((product, length) => product * length, 2);
  const elements = await upload(name, quantBytes);
  const scales = await upload(`${name}.scales`, scaleBytes);
  return { ...common, elements, scales, sizeBytes: quantBytes + scaleBytes };
}

function place({ path }: WeightFile, tensor: string, { offsetBytes }: TensorLocation) {
  return { what: `${path}: ${tensor}`, offsetBytes };
}
