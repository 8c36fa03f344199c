// One kernel's time in a layer, and what it moved and computed meanwhile.
import { quantBlockSize, type WeightDtype } from "@octet/core";
import type { Dispatch } from "../device/commands.ts";
import type { DispatchTimer } from "../tuning/dispatch-timer.ts";
import type { DeviceRates } from "./device-rates.ts";

/** What is computed: rows that are decoded side by side, or a prompt. */
export interface BenchedStep {
  readonly kind: "decode" | "prefill";
  readonly rows: number;
}

/** A line of the table. */
export interface KernelTiming extends BenchedStep {
  readonly side: "coordinator" | "worker";
  /** The shader, which of its kernels, and on what: "multiply-panels-few ROWS=4 4096×14336". */
  readonly kernel: string;
  readonly microseconds: number;
  /** Of weights, and of the KV cache in decode. */
  readonly bytesRead: number;
  /** Of the read bandwidth; undefined where next to nothing is read. */
  readonly ofReads: number | undefined;
  /** Of products, each counted once; undefined for other kernels. */
  readonly multiplyAdds: number | undefined;
  /** Of the f32 fma rate: integer dot products may exceed it. */
  readonly ofFma: number | undefined;
}

/** What timings are made with. */
export interface TimingContext {
  readonly timer: DispatchTimer;
  readonly rates: DeviceRates;
  readonly dtype: WeightDtype;
}

/** Bytes of a weight, scales aside. */
const bytesPerWeight: Readonly<Record<WeightDtype, number>> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  q8: 1 + 2 / quantBlockSize,
  q4: 0.5 + 2 / quantBlockSize,
};

/** Below this many bytes a time says nothing of bandwidth. */
const bytesWorthSaying = 64 * 1024;

/**
 * Times one place of a layer.
 *
 * @param alternates the same place in several layers, whose weights lie elsewhere
 * @param cacheBytes of keys and values that it reads
 */
export async function timeKernel(
  { timer, rates, dtype }: TimingContext,
  alternates: readonly Dispatch[],
  {
    step,
    side,
    cacheBytes = 0,
  }: {
    readonly step: BenchedStep;
    readonly side: KernelTiming["side"];
    readonly cacheBytes?: number;
  },
): Promise<KernelTiming> {
  const { kernel, workgroups, weightBytesRead, parameters } = alternates[0]!;
  const { shader, constants } = kernel.form;
  const microseconds = await timer.time(alternates);
  const bytesRead = weightBytesRead + cacheBytes;
  const product = productOf(shader, parameters);
  // Each row of workgroups reads the weights once.
  const weights = weightBytesRead / workgroups[1] / bytesPerWeight[dtype];
  const multiplyAdds = product && Math.round(weights * product.rows);
  const perSecond = 1e6 / microseconds;
  return {
    ...step,
    side,
    kernel: [shader, ...describeSizes(constants), ...(product ? [product.shape] : [])].join(" "),
    microseconds,
    bytesRead,
    ofReads:
      bytesRead < bytesWorthSaying ? undefined : (bytesRead * perSecond) / rates.readBytesPerSecond,
    multiplyAdds,
    ofFma: multiplyAdds === undefined ? undefined : (multiplyAdds * perSecond) / rates.fmaPerSecond,
  };
}

/** The constants that a tuner chooses. */
function describeSizes(constants: Readonly<Record<string, number>>): string[] {
  return ["ROWS", "TOKENS"]
    .filter((name) => constants[name] !== undefined)
    .map((name) => `${name}=${constants[name]}`);
}

/** Rows that a product computes, of which a step's logits take fewer, and its matrix's shape. */
function productOf(
  shader: string,
  parameters: Uint32Array,
): { readonly rows: number; readonly shape: string } | undefined {
  const [rows, first, second, third] = [0, 2, 3, 4].map((at) => parameters[at]!);
  // By the shaders: multiply takes K's blocks after two first rows, and N's panels.
  if (shader.startsWith("multiply-"))
    return { rows: rows!, shape: `${third! * 16}×${second! * 32}` };
  // An expert's: K's blocks after one first row, and those of its hidden values.
  if (shader.startsWith("expert-up-"))
    return { rows: rows!, shape: `${second! * 32}×${first! * 32}` };
  return undefined;
}
