// An engine in the GPU thread that outlives its device: after a loss it loads itself again.
import { KernelError } from "../../kernel-error.ts";
import { refuseSoftware } from "../device/adapter.ts";
import type { DeviceSource } from "../device/device-source.ts";
import type { GpuDevice } from "../device/gpu-device.ts";
import type { KernelProgress } from "../device/kernel.ts";
import type { DeviceChange, OpenedFacts } from "./protocol.ts";

/** What an engine answers, and which of its buffers may be moved rather than copied. */
export interface Answer {
  readonly body: unknown;
  readonly transfer: readonly ArrayBuffer[];
}

/** An engine's weights and kernels on one device. */
export interface LoadedEngine {
  readonly weightBytes: number;
  /** For the log, a line each. */
  readonly notes?: readonly string[];
  /**
   * What it submits it submits in the order of the calls.
   *
   * @throws {KernelError} "device-lost", and the engine's own
   */
  call(body: unknown): Promise<Answer>;
  /** Frees its buffers; no call is under way. */
  destroy(): void;
}

/**
 * Loads an engine onto a device, with every kernel that its calls take. It frees what it made if it
 * fails.
 */
export type LoadEngine = (
  device: GpuDevice,
  onProgress: (progress: KernelProgress) => void,
) => Promise<LoadedEngine>;

/** What an engine needs to live in the GPU thread. */
export interface RecoveringOptions {
  readonly source: Pick<DeviceSource, "get">;
  readonly load: LoadEngine;
  readonly allowSoftwareAdapter: boolean;
  report(change: DeviceChange): void;
  /** Of the kernels that a load compiles. */
  onProgress(progress: KernelProgress): void;
  /** Milliseconds before each attempt to load again; as many attempts as there are. */
  readonly retryDelaysMs: readonly number[];
  wait(milliseconds: number): Promise<void>;
}

type State =
  /** Calls are answered. */
  | { readonly kind: "serving"; readonly engine: LoadedEngine }
  /** The device is gone and the weights are being loaded onto the next. */
  | { readonly kind: "recovering" }
  /** No device took the weights; nothing more is tried. */
  | { readonly kind: "abandoned"; readonly detail: string };

/** One engine of the GPU thread. */
export class RecoveringEngine {
  readonly #options: RecoveringOptions;
  readonly #underWay = new Set<Promise<unknown>>();
  #state: State;
  #isClosed = false;
  #recovery: Promise<void> = Promise.resolve();

  private constructor(options: RecoveringOptions, device: GpuDevice, engine: LoadedEngine) {
    this.#options = options;
    this.#state = { kind: "serving", engine };
    this.#watch(device, engine);
  }

  /** @throws {KernelError} whatever the device or the weights are refused with */
  static async open(
    options: RecoveringOptions,
  ): Promise<{ engine: RecoveringEngine } & OpenedFacts> {
    const { device, loaded } = await loadOnDevice(options);
    const engine = new RecoveringEngine(options, device, loaded);
    const { weightBytes, notes = [] } = loaded;
    return { engine, device: device.facts.name, weightBytes, notes };
  }

  async call(body: unknown): Promise<Answer> {
    const state = this.#state;
    if (state.kind === "recovering") {
      throw new KernelError("device-lost", "the weights are being loaded again; try later");
    }
    if (state.kind === "abandoned") throw new KernelError("device-lost", state.detail);
    const answer = state.engine.call(body);
    this.#underWay.add(answer);
    try {
      return await answer;
    } finally {
      this.#underWay.delete(answer);
    }
  }

  /** Waits for calls under way, then frees the device's memory. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#underWay);
    await this.#recovery;
    if (this.#state.kind === "serving") this.#state.engine.destroy();
  }

  /** Lets the device go without loading again: the process exits. */
  abandon(): void {
    this.#isClosed = true;
  }

  #watch(device: GpuDevice, engine: LoadedEngine): void {
    void device.lost.then((detail) => {
      if (this.#isClosed) return;
      this.#state = { kind: "recovering" };
      this.#options.report({ kind: "lost", detail: `${device.facts.name}: ${detail}` });
      this.#recovery = this.#recover(engine);
    });
  }

  async #recover(lost: LoadedEngine): Promise<void> {
    await Promise.allSettled(this.#underWay);
    lost.destroy();
    let detail = "";
    for (const [attempt, delayMs] of this.#options.retryDelaysMs.entries()) {
      await this.#options.wait(delayMs);
      if (this.#isClosed) return;
      try {
        const { device, loaded } = await loadOnDevice(this.#options);
        this.#state = { kind: "serving", engine: loaded };
        this.#watch(device, loaded);
        this.#options.report({ kind: "recovered", attempts: attempt + 1 });
        return;
      } catch (error) {
        detail = error instanceof Error ? error.message : String(error);
      }
    }
    detail = `the device was lost and could not be opened again: ${detail}; restart the process`;
    this.#state = { kind: "abandoned", detail };
    this.#options.report({ kind: "abandoned", detail });
  }
}

async function loadOnDevice(options: RecoveringOptions) {
  const device = await options.source.get();
  refuseSoftware(device.facts, options.allowSoftwareAdapter);
  return { device, loaded: await options.load(device, options.onProgress) };
}
