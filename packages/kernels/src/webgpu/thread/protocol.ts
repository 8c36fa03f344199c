// What is said between the engines that callers hold and the GPU thread that computes for them.
import type { AttentionEngineOptions } from "../../attention-engine.ts";
import type { ExpertEngineOptions } from "../../expert-engine.ts";
import { KernelError, type KernelErrorCode } from "../../kernel-error.ts";
import type { GpuCounts } from "../device/counts.ts";
import type { KernelProgress } from "../device/kernel.ts";
import type { TuningOptions } from "../tuning/open-tuning.ts";

/** Which engine to open, and with what: plain data, as it crosses to another thread. */
export type OpenRequest = {
  readonly allowSoftwareAdapter: boolean;
  /** Part of the adapter's name, or undefined for the best there is. */
  readonly adapterName: string | undefined;
  /** Whether tuned choices may be kernels that use the device's subgroup matrices. */
  readonly subgroupMatrices?: boolean | undefined;
} & (
  | { readonly engine: "expert"; readonly options: Tunable<ExpertEngineOptions> }
  | { readonly engine: "attention"; readonly options: Tunable<AttentionEngineOptions> }
);

/** An engine's options, without threads, which the device has its own of. */
type Tunable<Options> = Omit<Options, "threads"> & {
  readonly tuning?: TuningOptions | undefined;
};

/** What is known of an engine once it is open. */
export interface OpenedFacts {
  /** "webgpu swiftshader ..., vulkan" */
  readonly device: string;
  readonly weightBytes: number;
  /** What is worth a line each in a log. */
  readonly notes: readonly string[];
}

/** What happens to a device under an engine. */
export type DeviceChange =
  /** Calls reject with "device-lost" from here on; the engine is loading its weights again. */
  | { readonly kind: "lost"; readonly detail: string }
  /** It serves again. */
  | { readonly kind: "recovered"; readonly attempts: number }
  /** It could not be opened again; every later call rejects with "device-lost". */
  | { readonly kind: "abandoned"; readonly detail: string };

/** To the thread. Each is answered once, in any order, by its `callId`. */
export type ThreadRequest = { readonly callId: number } & (
  | { readonly kind: "open"; readonly engineId: number; readonly request: OpenRequest }
  /** `body` is the engine's own affair: its proxy makes it and its loaded side reads it. */
  | { readonly kind: "call"; readonly engineId: number; readonly body: unknown }
  | { readonly kind: "close"; readonly engineId: number }
  | { readonly kind: "counts" }
  /** Destroys the device under every engine, as a driver's reset would. */
  | { readonly kind: "destroy-device" }
  /** The process exits: the thread is to be out of Dawn when it is stopped, and says so. */
  | { readonly kind: "stop"; readonly stopped: Int32Array<SharedArrayBuffer> }
);

/** From the thread. */
export type ThreadMessage =
  | { readonly kind: "answer"; readonly callId: number; readonly body: unknown }
  | { readonly kind: "failure"; readonly callId: number; readonly failure: PlainFailure }
  | { readonly kind: "device"; readonly engineId: number; readonly change: DeviceChange }
  | { readonly kind: "kernels"; readonly engineId: number; readonly progress: KernelProgress };

/** Counts of the device, and how many engines share it. */
export interface ThreadCounts {
  readonly counts: GpuCounts;
  readonly numEngines: number;
}

/** An error without its class, which does not cross threads. */
export interface PlainFailure {
  /** Of a KernelError. */
  readonly code: KernelErrorCode | undefined;
  readonly message: string;
  readonly stack: string | undefined;
}

export function toPlainFailure(error: unknown): PlainFailure {
  const code = error instanceof KernelError ? error.code : undefined;
  if (!(error instanceof Error)) return { code, message: String(error), stack: undefined };
  // A KernelError's message starts with its code, which the other side puts there again.
  const message = code === undefined ? error.message : error.message.slice(`[${code}] `.length);
  return { code, message, stack: error.stack };
}

export function fromPlainFailure({ code, message, stack }: PlainFailure): Error {
  const cause = { cause: stack };
  return code === undefined
    ? new Error(`GPU thread: ${message}`, cause)
    : new KernelError(code, message, cause);
}
