// The kernels of an expert's feed-forward, and which of them a call takes.
import { dispatchDtype, isQuantised, replyDtype, type WeightDtype } from "@octet/core";
import type { BindGroups } from "./device/bind-groups.ts";
import type { Dispatch } from "./device/commands.ts";
import type { GpuDevice } from "./device/gpu-device.ts";
import type { Kernel } from "./device/kernel.ts";
import type { ExpertScratch } from "./expert-scratch.ts";
import { type GpuMatrix, matrixBuffers } from "./gpu-matrix.ts";
import {
  elementBits,
  loadMultiply,
  type Multiply,
  type MultiplyTuning,
  multiply,
  packedDotConstant,
} from "./multiply.ts";

/** One expert's matrices in one layer. */
export interface GpuExpert {
  readonly w1: GpuMatrix;
  readonly w3: GpuMatrix;
  readonly w2: GpuMatrix;
}

/** Every kernel that calls of one weight dtype take. */
export interface ExpertKernels {
  /** w1, w3, silu and rounding at once, for a few rows. */
  readonly up: readonly { readonly rows: number; readonly kernel: Kernel }[];
  /** w1 x, or w3 x, in f32, for many rows. */
  readonly upMany: Multiply;
  readonly swiglu: Kernel;
  readonly down: Multiply;
}

/** Choices for w1 and w3, and for w2. */
export interface ExpertTuning {
  readonly up: MultiplyTuning;
  readonly down: MultiplyTuning;
}

/** Rows of a call, in the engine's buffers. */
export interface ExpertRows {
  readonly numRows: number;
  /** Where they start in x and in out. */
  readonly firstRow: number;
}

/** Threads of the swiglu kernel, of one block each. */
const swigluThreads = 64;

/** The kernels, none of which is compiled by this. */
export function loadExpertKernels(
  device: GpuDevice,
  dtype: WeightDtype,
  tuning: ExpertTuning,
): ExpertKernels {
  const panels = isQuantised(dtype);
  const up = tuning.up.fewRows.map((rows) => ({
    rows,
    kernel: device.kernels.load({
      shader: panels ? "expert-up-panels" : "expert-up-rows",
      constants: {
        BITS: elementBits[dtype],
        ROWS: rows,
        ...(panels ? packedDotConstant(tuning.up) : { HALF: Number(dtype === "f16") }),
      },
      // x, w1, w3, hidden.
      bindings: panels
        ? ["read", "read", "read", "read", "read", "write"]
        : ["read", "read", "read", "write"],
      parameterWords: panels ? 4 : 5,
    }),
  }));
  const swiglu = device.kernels.load({
    shader: "expert-swiglu",
    constants: { BITS: elementBits[dispatchDtype(dtype)] },
    bindings: ["read", "read", "write"],
    parameterWords: 2,
  });
  const output = replyDtype(dtype) === "bf16" ? "bf16" : "f32";
  const down = loadMultiply(device, { dtype, output, tuning: tuning.down });
  // For a few rows `up` does it all, so the products alone are for many.
  const many = { ...tuning.up, fewRows: [] };
  return { up, upMany: loadMultiply(device, { dtype, output: "f32", tuning: many }), swiglu, down };
}

/** w2(silu(w1 x) × w3 x) of rows in scratch.x, to scratch.out: two dispatches for a few rows. */
export function feedForward(
  kernels: ExpertKernels,
  groups: BindGroups,
  { expert, scratch, rows }: { expert: GpuExpert; scratch: ExpertScratch; rows: ExpertRows },
): Dispatch[] {
  const { numRows, firstRow } = rows;
  const { w1, w3, w2 } = expert;
  const { x, hidden, out } = scratch;
  const down = multiply(kernels.down, groups, {
    x: hidden,
    matrix: w2,
    out,
    numRows,
    outFirstRow: firstRow,
  });
  const few = kernels.up.find((up) => up.rows >= numRows);
  if (few === undefined) return [...upOfMany(kernels, groups, { expert, scratch, rows }), down];
  const { kernel } = few;
  const up: Dispatch = {
    kernel,
    bindGroup: groups.get(kernel, [x, ...matrixBuffers(w1), ...matrixBuffers(w3), hidden]),
    parameters: Uint32Array.of(
      ...[numRows, firstRow, w1.numBlocks, w2.numBlocks, w1.numPanels].slice(
        0,
        kernel.form.parameterWords,
      ),
    ),
    workgroups: [w2.numBlocks, 1],
    weightBytesRead: w1.sizeBytes + w3.sizeBytes,
  };
  return [up, down];
}

function upOfMany(
  { upMany, swiglu: kernel }: ExpertKernels,
  groups: BindGroups,
  { expert, scratch, rows }: { expert: GpuExpert; scratch: ExpertScratch; rows: ExpertRows },
): Dispatch[] {
  const { numRows, firstRow } = rows;
  const { w1, w3, w2 } = expert;
  const { x, gated, linear } = scratch.many();
  const product = (matrix: GpuMatrix, out: GPUBuffer) =>
    multiply(upMany, groups, { x, matrix, out, numRows, xFirstRow: firstRow });
  return [
    product(w1, gated),
    product(w3, linear),
    {
      kernel,
      bindGroup: groups.get(kernel, [gated, linear, scratch.hidden]),
      parameters: Uint32Array.of(numRows, w2.numBlocks),
      workgroups: [Math.ceil(w2.numBlocks / swigluThreads), numRows],
      weightBytesRead: 0,
    },
  ];
}
