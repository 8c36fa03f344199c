// The expert side of the seam on a GPU: a proxy of experts that the GPU thread holds.

import type { ModelConfig } from "@octet/core";
import { type ActivationRows, type ExpertId, replyDtype, type WeightDtype } from "@octet/core";
import type { ExpertCall, ExpertEngine, ExpertEngineOptions } from "../expert-engine.ts";
import { KernelError } from "../kernel-error.ts";
import { validateExpertCall } from "../validate-expert-call.ts";
import { assertCounts, validateModel } from "../validate-model.ts";
import { requiredExpertTensors, validateWeightFiles } from "../validate-weights.ts";
import type { KernelProgress } from "./device/kernel.ts";
import type { ExpertCallBody } from "./expert-loaded.ts";
import type { DeviceChange } from "./thread/protocol.ts";
import { openInGpuThread, type ThreadEngine } from "./thread/thread-host.ts";

/** What every GPU engine may be told besides. */
export interface WebGpuOptions {
  /** Whether to compute on an adapter that is none of a GPU, as tests do; false unless told. */
  readonly allowSoftwareAdapter?: boolean;
  /** Part of the name of the GPU to use, for the process's first engine to choose. */
  readonly adapterName?: string | undefined;
  /** Whether tuned choices may be kernels that use its subgroup matrices; false unless told. */
  readonly subgroupMatrices?: boolean | undefined;
  /** Where tuned choices are kept; without it the defaults are taken. No bit depends on them. */
  readonly tuningCacheDir?: string | undefined;
  /** Times kernels first where nothing is kept yet, which takes up to a minute; false unless told. */
  readonly tune?: boolean;
  /** Told what is worth a line in a log, such as a cache file that was ignored. */
  onNote?(note: string): void;
  /** Told when the device is lost under the engine, and when it serves again or is given up. */
  onDeviceChange?(change: DeviceChange): void;
  /** Told of each kernel that is compiled, while the engine is opened and after a loss. */
  onKernels?(progress: KernelProgress): void;
}

/**
 * Opens experts on the GPU, in the process's GPU thread, and compiles whatever calls will take. The
 * files are uploaded, and uploaded again after the device was lost; they must not change while the
 * engine is open.
 *
 * @throws {KernelError} "unsupported" for a model it cannot compute, or without a GPU that the
 *   kernels run on; "bad-weights" for files that do not hold the experts
 */
export async function openWebGpuExpertEngine(
  options: ExpertEngineOptions & WebGpuOptions,
): Promise<ExpertEngine> {
  const { model, weightDtype, weights, threads } = options;
  assertCounts({ threads });
  validateModel(model, weightDtype);
  const expertIds = [...options.expertIds];
  validateWeightFiles(weights, requiredExpertTensors(model, weightDtype, expertIds));
  const { allowSoftwareAdapter = false, adapterName, tune = false, tuningCacheDir } = options;
  const tuning = { tune, cacheDir: tuningCacheDir };
  const engine = await openInGpuThread(
    {
      engine: "expert",
      options: { model, weightDtype, weights, expertIds, tuning },
      allowSoftwareAdapter,
      adapterName,
      subgroupMatrices: options.subgroupMatrices,
    },
    {
      onDeviceChange: (change) => options.onDeviceChange?.(change),
      onProgress: (progress) => options.onKernels?.(progress),
    },
  );
  for (const note of engine.notes) options.onNote?.(note);
  return new WebGpuExpertEngine(engine, { model, weightDtype, expertIds });
}

class WebGpuExpertEngine implements ExpertEngine {
  readonly kind = "webgpu";
  readonly model: ModelConfig;
  readonly weightDtype: WeightDtype;
  readonly expertIds: readonly ExpertId[];
  readonly device: string;
  readonly weightBytes: number;
  readonly #engine: ThreadEngine;
  readonly #underWay = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(
    engine: ThreadEngine,
    facts: Pick<ExpertEngine, "model" | "weightDtype" | "expertIds">,
  ) {
    this.#engine = engine;
    this.model = facts.model;
    this.weightDtype = facts.weightDtype;
    this.expertIds = facts.expertIds;
    this.device = engine.device;
    this.weightBytes = engine.weightBytes;
  }

  async forward(call: ExpertCall): Promise<ActivationRows> {
    if (this.#closing !== undefined) {
      throw new KernelError("closed", "the expert engine was closed; open another");
    }
    validateExpertCall(call, this);
    const { layer, expertId, input } = call;
    // A copy, which then moves to the thread: the rows stay the caller's.
    const data = new Uint8Array(input.data).buffer;
    const expertIndex = this.expertIds.indexOf(expertId);
    const body: ExpertCallBody = { layer, expertIndex, numRows: input.rows, data };
    const answer = this.#engine.call(body, [data]);
    this.#underWay.add(answer);
    try {
      const output = new Uint8Array((await answer) as ArrayBuffer);
      const dtype = replyDtype(this.weightDtype);
      return { dtype, rows: input.rows, width: this.model.hiddenSize, data: output };
    } finally {
      this.#underWay.delete(answer);
    }
  }

  close(): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#underWay).then(() => this.#engine.close());
    return this.#closing;
  }
}
