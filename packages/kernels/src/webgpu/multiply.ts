// x wᵀ on the device: kernels for a few rows and for many, which give a row the same bits.
import { isQuantised, type WeightDtype } from "@octet/core";
import type { BindGroups } from "./device/bind-groups.ts";
import type { Dispatch } from "./device/commands.ts";
import type { GpuDevice } from "./device/gpu-device.ts";
import type { Kernel, KernelForm } from "./device/kernel.ts";
import { deviceWidth } from "./device-rows.ts";
import { type GpuMatrix, matrixBuffers } from "./gpu-matrix.ts";

/** What becomes of a product: stored, rounded to bf16, or added to the f32 that is there. */
export type MultiplyOutput = "f32" | "bf16" | "added";

/**
 * How products of bytes are made: by plain multiplications, by dot4I8Packed, or, of many rows, by
 * the device's products of small matrices, which few devices have.
 */
export type IntegerDots = "plain" | "packed" | "matrix";

/** Choices that change no bit of a result, for a tuner or a test. */
export interface MultiplyTuning {
  readonly dots: IntegerDots;
  /** Rows that the kernels for few compute, each reading the weights once: 1 to 8, rising. */
  readonly fewRows: readonly number[];
  /** Rows of a tile of the kernels for many: sixteens up to 128, rising. */
  readonly tileRows: readonly number[];
}

export const defaultTuning: MultiplyTuning = {
  dots: "packed",
  fewRows: [1, 4],
  tileRows: [16, 64],
};

/** By the shaders: panels of a tile, and threads along its rows. */
const tilePanels = 4;
const tileThreads = 16;

/** The numbers that the shaders know outputs by. */
const outputNumber: Readonly<Record<MultiplyOutput, number>> = { f32: 0, bf16: 1, added: 2 };

/** Bits of an element in the kernels' words. */
export const elementBits: Readonly<Record<WeightDtype, number>> = {
  f32: 32,
  f16: 16,
  bf16: 16,
  q8: 8,
  q4: 4,
};

/** Matrices of one dtype, and what is done with their products. Shapes are told with each. */
export interface MultiplyForm {
  readonly dtype: WeightDtype;
  readonly output: MultiplyOutput;
  readonly tuning: MultiplyTuning;
}

/** A kernel, and rows that one of its workgroups computes. */
interface SizedKernel {
  readonly rows: number;
  readonly kernel: Kernel;
}

/** The kernels for one form. */
export interface Multiply {
  readonly few: readonly SizedKernel[];
  readonly many: readonly SizedKernel[];
}

/** Rows to multiply. x and out hold rows as device-rows.ts says; x in dispatchDtype(dtype). */
export interface MultiplyRows {
  readonly x: GPUBuffer;
  readonly matrix: GpuMatrix;
  readonly out: GPUBuffer;
  readonly numRows: number;
  /** Where the rows start in x and in out; 0 unless told. */
  readonly xFirstRow?: number;
  readonly outFirstRow?: number;
}

/** The kernels, none of which is compiled by this. */
export function loadMultiply(device: GpuDevice, { dtype, output, tuning }: MultiplyForm): Multiply {
  const kind = isQuantised(dtype) ? "panels" : "rows";
  const constants = {
    BITS: elementBits[dtype],
    OUTPUT: outputNumber[output],
  };
  const { byteMatrix } = device.kernels.variants;
  const byMatrix = isQuantised(dtype) && tuning.dots === "matrix" && byteMatrix !== undefined;
  const dots = isQuantised(dtype) ? packedDotConstant(tuning) : { HALF: Number(dtype === "f16") };
  const sized = (name: string, rows: number, own: Partial<KernelForm>): SizedKernel => ({
    rows,
    kernel: device.kernels.load({
      shader: `multiply-${kind}-${name}`,
      ...own,
      constants: { ...constants, ...own.constants },
      // x, the matrix, out.
      bindings: isQuantised(dtype) ? ["read", "read", "read", "write"] : ["read", "read", "write"],
      parameterWords: 6,
    }),
  });
  return {
    few: tuning.fewRows.map((rows) => sized("few", rows, { constants: { ROWS: rows, ...dots } })),
    many: tuning.tileRows.map((rows) => {
      const TOKENS = rows / tileThreads;
      if (!byMatrix) return sized("many", rows, { constants: { TOKENS, ...dots } });
      const { M, N, K } = byteMatrix;
      const sizes = { tileM: M, tileN: N, tileK: K };
      return sized("matrix", rows, { constants: { TOKENS }, sizes });
    }),
  };
}

/** What kernels of quantised matrices are told that make products of bytes themselves. */
export function packedDotConstant({ dots }: MultiplyTuning): { readonly PACKED_DOT: number } {
  return { PACKED_DOT: dots === "plain" ? 0 : 1 };
}

/** One product, by the kernel that suits its number of rows. */
export function multiply(
  { few, many }: Multiply,
  groups: BindGroups,
  { x, matrix, out, numRows, xFirstRow = 0, outFirstRow = 0 }: MultiplyRows,
): Dispatch {
  const { numPanels, numBlocks, outSize, sizeBytes } = matrix;
  const fits = ({ rows }: SizedKernel) => rows >= numRows;
  const atOnce = few.find(fits);
  // Tiles of the smallest size that takes all rows, or several of the largest.
  const { kernel, rows } = atOnce ?? many.find(fits) ?? many.at(-1)!;
  const columns = atOnce === undefined ? Math.ceil(numPanels / tilePanels) : numPanels;
  const passes = Math.ceil(numRows / rows);
  return {
    kernel,
    bindGroup: groups.get(kernel, [x, ...matrixBuffers(matrix), out]),
    parameters: Uint32Array.of(
      numRows,
      xFirstRow,
      outFirstRow,
      numBlocks,
      numPanels,
      deviceWidth(outSize),
    ),
    workgroups: [columns, passes],
    weightBytesRead: passes * sizeBytes,
  };
}
