// Every kernel of a model's layer, timed on a device against what that device can do.
import type { ModelConfig, WeightDtype } from "@octet/core";
import { attentionShape } from "../attention-shape.ts";
import { loadDawn, refuseSoftware } from "../device/adapter.ts";
import { openDevice } from "../device/gpu-device.ts";
import { DispatchTimer } from "../tuning/dispatch-timer.ts";
import { attentionTuning, expertTuning, type TuningOptions } from "../tuning/open-tuning.ts";
import { allCandidates } from "../tuning/tune-products.ts";
import { timeAttention } from "./attention-timings.ts";
import { type DeviceRates, measureRates } from "./device-rates.ts";
import { timeExpert } from "./expert-timings.ts";
import type { BenchedStep, KernelTiming } from "./kernel-timing.ts";

/** What to time. */
export interface KernelBenchOptions {
  readonly model: ModelConfig;
  readonly weightDtype: WeightDtype;
  readonly steps: readonly BenchedStep[];
  /** Tokens that decoded sequences have already. */
  readonly pastTokens: number;
  readonly allowSoftwareAdapter: boolean;
  /** Part of the adapter's name, or undefined for the best there is. */
  readonly adapterName: string | undefined;
  /** Whether kernels that use them are among those to choose from. */
  readonly subgroupMatrices: boolean;
  /** Where choices are kept, and whether to make those that are missing. */
  readonly tuning: TuningOptions;
}

/** What was found. */
export interface KernelBench {
  readonly device: string;
  /** Whether the figures mean nothing. */
  readonly isSoftware: boolean;
  readonly timedBy: DispatchTimer["method"];
  readonly rates: DeviceRates;
  readonly timings: readonly KernelTiming[];
  /** Lines for a log. */
  readonly notes: readonly string[];
}

/** More than the last cache of any GPU of today. */
const rotationBytes = 256 * 1024 * 1024;

/**
 * Times each kernel, in the calling thread: it is busy until this is done, and the process must
 * have no GPU engine open.
 *
 * @throws {KernelError} "unsupported" without a GPU, or on a software adapter that is not allowed
 */
export async function runKernelBench(options: KernelBenchOptions): Promise<KernelBench> {
  const { model, weightDtype: dtype, steps, pastTokens } = options;
  const device = await openDevice(await loadDawn(options), {});
  try {
    refuseSoftware(device.facts, options.allowSoftwareAdapter);
    const { name, isSoftware } = device.facts;
    const timer = new DispatchTimer(device, { sampleMs: isSoftware ? 2 : 20, samples: 3 });
    const lab = {
      ...{ device, timer, candidates: allCandidates },
      rotationBytes: isSoftware ? 0 : rotationBytes,
    };
    const shape = attentionShape(model, dtype);
    const source = { model, dtype };
    const ofExpert = await expertTuning(device, source, options.tuning);
    const ofAttention = await attentionTuning(device, shape, options.tuning);
    const rates = await measureRates(device, timer);
    const context = { timer, rates, dtype };
    const timings = [
      ...(await timeAttention(lab, context, {
        ...{ shape, steps, pastTokens },
        tuning: ofAttention.choice,
      })),
      ...(await timeExpert(lab, context, { source, steps, tuning: ofExpert.choice })),
    ];
    const notes = [...new Set([...ofExpert.notes, ...ofAttention.notes])];
    return { device: name, isSoftware, timedBy: timer.method, rates, timings, notes };
  } finally {
    device.destroy();
  }
}
