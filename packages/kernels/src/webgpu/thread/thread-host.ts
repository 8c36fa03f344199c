// The other end of the GPU thread, which is started with the first engine and ends with the process:
// kernels that it compiled serve the engines that come later.
import { Worker } from "node:worker_threads";
import { KernelError } from "../../kernel-error.ts";
import type { KernelProgress } from "../device/kernel.ts";
import {
  type DeviceChange,
  fromPlainFailure,
  type OpenedFacts,
  type OpenRequest,
  type ThreadCounts,
  type ThreadMessage,
  type ThreadRequest,
} from "./protocol.ts";

/** A request without the number that its answer will carry. */
type Asked = DistributiveOmit<ThreadRequest, "callId">;
type DistributiveOmit<T, Key extends PropertyKey> = T extends unknown ? Omit<T, Key> : never;

/** How long an exiting process waits for the thread to be done with Dawn. */
const stopTimeoutMs = 2000;

interface Pending {
  resolve(body: unknown): void;
  reject(error: Error): void;
}

/** Who hears of an engine between its calls. */
export interface EngineListener {
  onDeviceChange(change: DeviceChange): void;
  /** While it is opened, and after a loss. */
  onProgress(progress: KernelProgress): void;
}

/** An engine in the GPU thread, as its proxy reaches it. */
export interface ThreadEngine extends OpenedFacts {
  /** @throws {KernelError} what the engine refuses the call with, "device-lost" included */
  call(body: unknown, transfer: readonly ArrayBuffer[]): Promise<unknown>;
  close(): Promise<void>;
}

// A process has one GPU thread, as it may have one instance of Dawn: this is where it is known.
let current: GpuThread | undefined;

/**
 * Opens an engine in the GPU thread, which is started if there is none.
 *
 * @throws {KernelError} "unsupported" without a fitting device; "bad-weights"
 */
export async function openInGpuThread(
  request: OpenRequest,
  listener: EngineListener,
): Promise<ThreadEngine> {
  current ??= new GpuThread();
  return current.open(request, listener);
}

/** What the GPU thread's device was asked to do so far; undefined without a thread. */
export async function gpuThreadCounts(): Promise<ThreadCounts | undefined> {
  return (await current?.ask({ kind: "counts" })) as ThreadCounts | undefined;
}

/** Takes the device away from every engine of the process, as a driver's reset would. */
export async function destroyGpuDevice(): Promise<void> {
  await current?.ask({ kind: "destroy-device" });
}

class GpuThread {
  readonly #worker = new Worker(new URL("./gpu-thread.ts", import.meta.url), { name: "gpu" });
  readonly #pending = new Map<number, Pending>();
  readonly #engines = new Map<number, EngineListener>();
  #nextCallId = 0;
  #nextEngineId = 0;
  #failure: KernelError | undefined;

  constructor() {
    this.#worker.on("message", (message: ThreadMessage) => this.#receive(message));
    this.#worker.on("error", (cause) => this.#fail(`the GPU thread failed: ${cause}`));
    this.#worker.on("exit", () => this.#fail("the GPU thread ended"));
    // A process may end though it left an engine open; one that waits for an answer may not.
    this.#worker.unref();
    process.once("exit", () => this.#stop());
  }

  async open(request: OpenRequest, listener: EngineListener): Promise<ThreadEngine> {
    const engineId = this.#nextEngineId++;
    this.#engines.set(engineId, listener);
    try {
      const facts = (await this.ask({ kind: "open", engineId, request })) as OpenedFacts;
      return {
        ...facts,
        call: (body, transfer) => this.ask({ kind: "call", engineId, body }, transfer),
        close: () => this.#close(engineId),
      };
    } catch (error) {
      this.#engines.delete(engineId);
      throw error;
    }
  }

  ask(asked: Asked, transfer: readonly ArrayBuffer[] = []): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const callId = this.#nextCallId++;
    return new Promise((resolve, reject) => {
      if (this.#pending.size === 0) this.#worker.ref();
      this.#pending.set(callId, { resolve, reject });
      this.#worker.postMessage({ ...asked, callId }, transfer);
    });
  }

  async #close(engineId: number): Promise<void> {
    try {
      await this.ask({ kind: "close", engineId });
    } finally {
      this.#engines.delete(engineId);
    }
  }

  /** Blocks, as everything must while the process exits. */
  #stop(): void {
    if (this.#failure !== undefined) return;
    const stopped = new Int32Array(new SharedArrayBuffer(4));
    this.#worker.postMessage({ kind: "stop", stopped, callId: this.#nextCallId++ });
    Atomics.wait(stopped, 0, 0, stopTimeoutMs);
  }

  #receive(message: ThreadMessage): void {
    if (message.kind === "device") {
      this.#engines.get(message.engineId)?.onDeviceChange(message.change);
      return;
    }
    if (message.kind === "kernels") {
      this.#engines.get(message.engineId)?.onProgress(message.progress);
      return;
    }
    const pending = this.#pending.get(message.callId)!; // each request is answered once
    this.#pending.delete(message.callId);
    if (this.#pending.size === 0) this.#worker.unref();
    if (message.kind === "answer") pending.resolve(message.body);
    else pending.reject(fromPlainFailure(message.failure));
  }

  #fail(detail: string): void {
    this.#failure ??= new KernelError("device-lost", `${detail}; restart the process`);
    if (current === this) current = undefined;
    for (const { reject } of this.#pending.values()) reject(this.#failure);
    this.#pending.clear();
    for (const { onDeviceChange } of this.#engines.values()) {
      onDeviceChange({ kind: "abandoned", detail });
    }
    this.#engines.clear();
  }
}
