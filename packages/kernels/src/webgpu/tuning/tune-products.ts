// Times the kernels that a product may take, and chooses.
import { dispatchDtype, isQuantised, type WeightDtype } from "@octet/core";
import { BindGroups } from "../device/bind-groups.ts";
import { bufferUsage } from "../device/buffer-usage.ts";
import type { GpuDevice } from "../device/gpu-device.ts";
import { deviceRowBytes } from "../device-rows.ts";
import { destroyMatrix, type GpuMatrix } from "../gpu-matrix.ts";
import { type IntegerDots, loadMultiply, type MultiplyTuning, multiply } from "../multiply.ts";
import type { DispatchTimer } from "./dispatch-timer.ts";
import { createFilled, createRandomMatrix, floatWords } from "./random-matrix.ts";
import { chooseSizes, type KernelCost } from "./size-choice.ts";

/** What is tried. */
export interface TuningCandidates {
  readonly dots: readonly IntegerDots[];
  readonly fewRows: readonly number[];
  readonly tileRows: readonly number[];
}

/** All that the shaders can be told, in steps of two. */
export const allCandidates: TuningCandidates = {
  dots: ["packed", "plain", "matrix"],
  fewRows: [1, 2, 4, 8],
  tileRows: [16, 32, 64, 128],
};

/** A device to tune on. */
export interface TuningLab {
  readonly device: GpuDevice;
  readonly timer: DispatchTimer;
  readonly candidates: TuningCandidates;
  /** Weights that a kernel goes through before it comes back to the same: more than caches hold. */
  readonly rotationBytes: number;
}

/** Copies of weights of that size, which together are the lab's rotation. */
export function copiesOf(lab: TuningLab, sizeBytes: number): number {
  return Math.max(1, Math.ceil(lab.rotationBytes / sizeBytes));
}

/** Times one kernel after the other over matrices [outSize, inSize] of that dtype. */
export async function tuneProduct(
  lab: TuningLab,
  dtype: WeightDtype,
  shape: readonly [number, number],
): Promise<MultiplyTuning> {
  const first = createRandomMatrix(lab.device, dtype, shape);
  const matrices = [first];
  while (matrices.length < copiesOf(lab, first.sizeBytes)) {
    matrices.push(createRandomMatrix(lab.device, dtype, shape));
  }
  try {
    return await chooseTuning(lab, dtype, (dots) =>
      productCosts(lab, matrices, { dots, fewRows: lab.candidates.fewRows }),
    );
  } finally {
    for (const matrix of matrices) destroyMatrix(matrix);
  }
}

/** Of each way of integer products the sizes; of the ways the one that is faster on the whole. */
export async function chooseTuning(
  { candidates, device }: TuningLab,
  dtype: WeightDtype,
  costsOf: (dots: IntegerDots) => Promise<readonly KernelCost[]>,
): Promise<MultiplyTuning> {
  let best: { tuning: MultiplyTuning; score: number } | undefined;
  const hasMatrices = device.kernels.variants.byteMatrix !== undefined;
  const possible = candidates.dots.filter((dots) => dots !== "matrix" || hasMatrices);
  for (const dots of isQuantised(dtype) ? possible : possible.slice(0, 1)) {
    const costs = await costsOf(dots);
    // One row and a prompt weigh the same, however far apart their times are.
    const score = costs.reduce((sum, { microseconds }) => sum + Math.log(microseconds), 0);
    const tuning = { dots, ...chooseSizes(costs) };
    if (best === undefined || score < best.score) best = { tuning, score };
  }
  return best!.tuning; // there is a candidate at least
}

/** What each candidate takes for as many rows as it computes at once. */
export async function productCosts(
  { device, timer, candidates }: TuningLab,
  matrices: readonly GpuMatrix[],
  { dots, fewRows }: Pick<MultiplyTuning, "dots" | "fewRows">,
): Promise<KernelCost[]> {
  const { dtype, inSize, outSize } = matrices[0]!;
  const rowsMax = Math.max(...fewRows, ...candidates.tileRows);
  const x = createFilled(device, "tuning x", {
    sizeBytes: rowsMax * deviceRowBytes(dispatchDtype(dtype), inSize),
    words: floatWords,
  });
  const outBytes = rowsMax * deviceRowBytes("f32", outSize);
  const out = device.createBuffer("tuning out", outBytes, bufferUsage.storage);
  const groups = new BindGroups(device);
  const costs: KernelCost[] = [];
  const measure = async (family: KernelCost["family"], rows: number) => {
    const sizes = family === "few" ? { fewRows: [rows] } : { fewRows: [] };
    const tuning = { dots, tileRows: [rows], ...sizes };
    const kernels = loadMultiply(device, { dtype, output: "f32", tuning });
    const alternates = matrices.map((matrix) =>
      multiply(kernels, groups, { x, matrix, out, numRows: rows }),
    );
    costs.push({ family, rows, microseconds: await timer.time(alternates) });
  };
  try {
    for (const rows of fewRows) await measure("few", rows);
    for (const rows of candidates.tileRows) await measure("many", rows);
    return costs;
  } finally {
    x.destroy();
    out.destroy();
  }
}
