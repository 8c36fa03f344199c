// Weight matrices in the device's memory, as the shard holds them.
import { isQuantised, panelRows, panelShapes, quantBlockSize, type WeightDtype } from "@octet/core";
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

const elementBytes = { f32: 4, f16: 2, bf16: 2 } as const;

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
  const matrix = await uploadStacked(uploader, files, { device, sources: [source] });
  return { ...matrix, outSize: source.shape[0] };
}

/**
 * As {@link uploadMatrix}, of several matrices of one dtype and inSize, one below the other: each
 * starts at a panel of its own, after rows of zeros.
 */
export async function uploadStacked(
  uploader: Uploader,
  files: WeightFiles,
  { device, sources }: { readonly device: GpuDevice; readonly sources: readonly MatrixSource[] },
): Promise<GpuMatrix> {
  const { name, dtype, shape } = sources[0]!;
  const numBlocks = Math.ceil(shape[1] / quantBlockSize);
  const panels = sources.map((source) => Math.ceil(source.shape[0] / panelRows));
  const numPanels = panels.reduce((sum, count) => sum + count, 0);
  const bytes = panelBytes(dtype, numBlocks);
  const usage = bufferUsage.storage | bufferUsage.copyTarget;
  const elements = device.createBuffer(name, numPanels * bytes.elements, usage);
  const scales =
    bytes.scales === 0
      ? undefined
      : device.createBuffer(`${name}.scales`, numPanels * bytes.scales, usage);
  const matrix: GpuMatrix = {
    dtype,
    outSize: numPanels * panelRows,
    inSize: shape[1],
    numPanels,
    numBlocks,
    elements,
    scales,
    sizeBytes: numPanels * (bytes.elements + bytes.scales),
  };
  try {
    let firstPanel = 0;
    for (const [index, source] of sources.entries()) {
      await uploadPart(uploader, files, { source, matrix, firstPanel });
      firstPanel += panels[index]!;
    }
    return matrix;
  } catch (error) {
    destroyMatrix(matrix);
    throw error;
  }
}

/** Bytes of sixteen rows, filled up. */
function panelBytes(dtype: WeightDtype, numBlocks: number): { elements: number; scales: number } {
  const columns = numBlocks * quantBlockSize;
  if (!isQuantised(dtype))
    return { elements: panelRows * columns * elementBytes[dtype], scales: 0 };
  const shapes = panelShapes(dtype, [panelRows, columns]);
  return {
    elements: shapes.quants.reduce((product, length) => product * length, 1),
    scales: shapes.scales.reduce((product, length) => product * length, 2),
  };
}

interface Part {
  readonly source: MatrixSource;
  readonly matrix: GpuMatrix;
  readonly firstPanel: number;
}

async function uploadPart(
  uploader: Uploader,
  files: WeightFiles,
  { source, matrix, firstPanel }: Part,
): Promise<void> {
  const { name, dtype, shape } = source;
  const bytes = panelBytes(dtype, matrix.numBlocks);
  const put = async (tensor: string, buffer: GPUBuffer, ofPanel: number) => {
    const { weights, location, file } = await files.find(tensor);
    const { offsetBytes, lengthBytes } = location;
    const isPanels = isQuantised(dtype);
    const rows = isPanels ? 1 : shape[0];
    await uploader.upload(
      {
        file,
        what: `${weights.path}: ${tensor}`,
        offsetBytes,
        rows,
        rowBytes: lengthBytes / rows,
      },
      {
        buffer,
        offsetBytes: firstPanel * ofPanel,
        rowBytes: isPanels ? lengthBytes : ofPanel / panelRows,
      },
    );
  };
  await put(name, matrix.elements, bytes.elements);
  if (matrix.scales !== undefined) await put(`${name}.scales`, matrix.scales, bytes.scales);
}
