// The coordinator's side of the seam on a GPU: a proxy of what the GPU thread computes.
import { setTimeout as wait } from "node:timers/promises";
import type { ModelConfig, WeightDtype } from "@octet/core";
import type {
  AttentionEngine,
  AttentionEngineOptions,
  AttentionStep,
  StepSequence,
} from "../attention-engine.ts";
import { KernelError } from "../kernel-error.ts";
import { assertCounts, validateExpertCounts, validateModel } from "../validate-model.ts";
import { validateStepSequences } from "../validate-step-sequences.ts";
import { requiredAttentionTensors, validateWeights } from "../validate-weights.ts";
import type { AttentionCall } from "./attention-protocol.ts";
import { attentionShape, cacheBytes } from "./attention-shape.ts";
import type { DeviceChange } from "./thread/protocol.ts";
import { openInGpuThread, type ThreadEngine } from "./thread/thread-host.ts";
import { WebGpuAttentionStep } from "./webgpu-attention-step.ts";
import type { WebGpuOptions } from "./webgpu-expert-engine.ts";

/**
 * Opens everything that is not an expert on the GPU, and compiles whatever steps will take.
 *
 * When the device is lost, what is under way rejects with "device-lost" and the weights are loaded
 * again. The KV cache is empty then: a step that builds on lost positions is "device-lost" until its
 * sequences have been computed from their first token again. `ready` tells when to try.
 *
 * @throws {KernelError} "unsupported" for a model it cannot compute, without a GPU, or if the GPU
 *   cannot hold a tensor or the KV cache; "bad-weights" for a file that does not hold the tensors
 */
export async function openWebGpuAttentionEngine(
  options: AttentionEngineOptions & WebGpuOptions,
): Promise<AttentionEngine> {
  const { model, weightDtype, weights, threads, numBlocks, blockSizeTokens } = options;
  assertCounts({ numBlocks, blockSizeTokens, threads });
  validateModel(model, weightDtype);
  validateExpertCounts(model);
  validateWeights(weights, requiredAttentionTensors(model, weightDtype));
  const tuning = { tune: options.tune ?? false, cacheDir: options.tuningCacheDir };
  const device = new DeviceWatch(options.onDeviceChange);
  const thread = await openInGpuThread(
    {
      engine: "attention",
      options: { model, weightDtype, weights, numBlocks, blockSizeTokens, tuning },
      allowSoftwareAdapter: options.allowSoftwareAdapter ?? false,
      adapterName: options.adapterName,
      subgroupMatrices: options.subgroupMatrices,
    },
    {
      onDeviceChange: (change) => device.take(change),
      onProgress: (progress) => options.onKernels?.(progress),
    },
  );
  for (const note of thread.notes) options.onNote?.(note);
  return new WebGpuAttentionEngine(thread, device, options);
}

/** What became of the device, and who waits for it. */
class DeviceWatch {
  readonly #report: ((change: DeviceChange) => void) | undefined;
  readonly #waiting: (() => void)[] = [];
  last: DeviceChange | undefined;

  constructor(report: ((change: DeviceChange) => void) | undefined) {
    this.#report = report;
  }

  take(change: DeviceChange): void {
    this.last = change;
    for (const resolve of this.#waiting.splice(0)) resolve();
    this.#report?.(change);
  }

  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** Between a call that failed and the report of why. */
const reportDelayMs = 10;

class WebGpuAttentionEngine implements AttentionEngine {
  readonly kind = "webgpu";
  readonly model: ModelConfig;
  readonly weightDtype: WeightDtype;
  readonly numBlocks: number;
  readonly blockSizeTokens: number;
  readonly device: string;
  readonly weightBytes: number;
  readonly kvBytes: number;
  readonly #thread: ThreadEngine;
  readonly #watch: DeviceWatch;
  /** Steps that nobody holds any more give back what they keep on the device. */
  readonly #abandoned = new FinalizationRegistry<number>((stepId) => this.#drop(stepId));
  #nextStepId = 0;
  #closing: Promise<void> | undefined;

  constructor(thread: ThreadEngine, watch: DeviceWatch, facts: AttentionEngineOptions) {
    this.#thread = thread;
    this.#watch = watch;
    this.model = facts.model;
    this.weightDtype = facts.weightDtype;
    this.numBlocks = facts.numBlocks;
    this.blockSizeTokens = facts.blockSizeTokens;
    this.device = thread.device;
    this.weightBytes = thread.weightBytes;
    const shape = attentionShape(facts.model, facts.weightDtype);
    this.kvBytes = 2 * facts.model.numLayers * cacheBytes(shape, facts);
  }

  openStep(sequences: readonly StepSequence[]): AttentionStep {
    this.#checkOpen();
    validateStepSequences(sequences, this);
    const { model, weightDtype } = this;
    const stepId = this.#nextStepId++;
    const context = {
      model,
      weightDtype,
      stepId,
      call: (call: AttentionCall) => this.#call(call),
      checkOpen: () => this.#checkOpen(),
    };
    const step = new WebGpuAttentionStep(context, sequences);
    this.#abandoned.register(step, stepId, step);
    return step;
  }

  async ready(): Promise<void> {
    for (;;) {
      this.#checkOpen();
      const { last } = this.#watch;
      if (last?.kind === "abandoned") throw new KernelError("device-lost", last.detail);
      if (last?.kind === "lost") await this.#watch.changed();
      else if (await this.#isThere()) return;
      else await wait(reportDelayMs);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#thread.close();
    return this.#closing;
  }

  async #isThere(): Promise<boolean> {
    try {
      await this.#call({ kind: "ping" });
      return true;
    } catch (error) {
      if (error instanceof KernelError && error.code === "device-lost") return false;
      throw error;
    }
  }

  #call(call: AttentionCall): Promise<unknown> {
    const moved = call.kind === "layer" || call.kind === "finish" ? [call.replies.buffer] : [];
    return this.#thread.call(call, moved);
  }

  #drop(stepId: number): void {
    if (this.#closing !== undefined) return;
    // A device that is lost has let go of the step by itself.
    this.#call({ kind: "drop", stepId }).catch(() => {});
  }

  #checkOpen(): void {
    if (this.#closing === undefined) return;
    throw new KernelError("closed", "the attention engine was closed; open another");
  }
}
