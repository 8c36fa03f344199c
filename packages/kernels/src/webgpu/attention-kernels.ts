// The kernels of one attention engine, made once, and the dispatches they are run by.
import type { WeightDtype } from "@octet/core";
import type { AttentionShape } from "./attention-shape.ts";
import type { BindGroups } from "./device/bind-groups.ts";
import type { Dispatch } from "./device/commands.ts";
import type { GpuDevice } from "./device/gpu-device.ts";
import type { Kernel, KernelForm } from "./device/kernel.ts";
import { loadMultiply, type Multiply, type MultiplyTuning } from "./multiply.ts";

/** All that attention runs. */
export interface AttentionKernels {
  /** combine-norm.wgsl: of the embedding, onto zero; and of experts' answers, or of nothing. */
  readonly embed: Kernel;
  readonly combine: Kernel;
  /** Of queries, keys and values. */
  readonly product: Multiply;
  readonly logits: Multiply;
  readonly rotate: Kernel;
  readonly attendDecode: Kernel;
  readonly attendPrefill: Kernel;
  readonly merge: Kernel;
  /** Of what attention made, added to the residual stream. */
  readonly added: Multiply;
  readonly gate: Kernel;
  /** select-largest.wgsl: of logits, and of what it left. */
  readonly selectLogits: Kernel;
  readonly selectChosen: Kernel;
}

/** Choices for products with each of the three matrices. */
export interface AttentionTuning {
  readonly projection: MultiplyTuning;
  readonly output: MultiplyTuning;
  readonly lmHead: MultiplyTuning;
}

/** The numbers that shaders know the formats of rows by. */
const formatNumber = { f32: 0, bf16: 1, q8: 2 } as const;

/** The kernels, none of which is compiled by this. */
export function loadAttentionKernels(
  device: GpuDevice,
  shape: AttentionShape,
  options: { readonly embeddingDtype: WeightDtype; readonly tuning: AttentionTuning },
): AttentionKernels {
  const { weightDtype: dtype, cacheIsBf16, rowDtype } = shape;
  const load = (shader: string, parameterWords: number, bindings: string, constants = {}) =>
    device.kernels.load({ shader, constants, bindings: parseBindings(bindings), parameterWords });
  const norm = (isBf16: boolean, ontoZero: boolean) =>
    load("combine-norm", 6, "wrrrrwww", {
      INPUT_BF16: Number(isBf16),
      ONTO_ZERO: Number(ontoZero),
      LANES: rowLanes(shape),
      FORMAT: formatNumber[rowDtype],
    });
  const attend = (shader: string) =>
    load(shader, 9, "rrrrrrww", { CACHE_BF16: Number(cacheIsBf16) });
  const multiplyTo = (output: "f32" | "added", tuning: MultiplyTuning) =>
    loadMultiply(device, { dtype, output, tuning });
  const { projection, output, lmHead } = options.tuning;
  return {
    embed: norm(options.embeddingDtype === "bf16", true),
    combine: norm(shape.replyDtype === "bf16", false),
    product: multiplyTo("f32", projection),
    logits: multiplyTo("f32", lmHead),
    rotate: load("rotate-store", 8, "rrrrwww", { CACHE_BF16: Number(cacheIsBf16) }),
    attendDecode: attend("attend-chunks"),
    attendPrefill: attend("attend-prefill"),
    merge: load("merge-chunks", 8, "rrrww", { FORMAT: formatNumber[rowDtype] }),
    added: multiplyTo("added", output),
    gate: load("gate", 3, "rrrw", { LANES: rowLanes(shape) }),
    selectLogits: load("select-largest", 4, "rww", { IDS: 0 }),
    selectChosen: load("select-largest", 4, "rww", { IDS: 1 }),
  };
}

/** Threads that share a row of the residual stream: as many as have something to do. */
function rowLanes({ model }: AttentionShape): number {
  return model.hiddenSize < 1024 ? 64 : 256;
}

/** "rrw": read, read, write. */
function parseBindings(letters: string): KernelForm["bindings"] {
  return Array.from(letters, (letter) => (letter === "r" ? "read" : "write"));
}

/** One run of a kernel: its buffers in the order of its bindings. */
export interface KernelRun {
  readonly buffers: readonly GPUBuffer[];
  readonly parameters: Uint32Array<ArrayBuffer>;
  readonly workgroups: Dispatch["workgroups"];
  /** Of weights, and of keys and values; 0 unless told. */
  readonly weightBytesRead?: number;
  readonly cacheBytesRead?: number;
}

export function dispatchOf(kernel: Kernel, groups: BindGroups, run: KernelRun): Dispatch {
  const { buffers, parameters, workgroups, weightBytesRead = 0, cacheBytesRead = 0 } = run;
  const bindGroup = groups.get(kernel, buffers);
  return { kernel, bindGroup, parameters, workgroups, weightBytesRead, cacheBytesRead };
}

/** The 32 bits of a number as an f32. */
export function floatBits(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0]!;
}
