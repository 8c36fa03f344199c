// How late this process's event loop is while its GPU thread computes.
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { activationRowBytes, dispatchDtype, toExpertId } from "@octet/core";
import { openWebGpuExpertEngine } from "@octet/kernels";
import { tinyModel, writeSyntheticModel } from "@octet/kernels/conformance";

/** One line of `--counts --json`. */
export interface LoopDelayLine {
  readonly name: "gpu-event-loop-delay";
  readonly unit: "ms";
  /** The least of `looks`: other programs may keep the cores from both threads. */
  readonly p99: number;
  readonly looks: readonly number[];
  /** Calls that were computed meanwhile. */
  readonly calls: number;
  readonly limit: number;
  readonly met: boolean;
}

const limitMs = 10;
const resolutionMs = 1;
const lookMs = 500;
const numLooks = 3;
const rows = 64;

/** Large enough for a call to take many milliseconds on SwiftShader. */
const model = tinyModel({
  hiddenSize: 512,
  intermediateSize: 1024,
  numLayers: 1,
  numExperts: 1,
  numExpertsPerToken: 1,
});

/** Looks several times while calls of many rows are computed one after the other. */
export async function measureLoopDelay(folder: string): Promise<LoopDelayLine> {
  const path = join(folder, "loop-delay");
  const written = { path, model, weightDtype: "q8", seed: 3, parts: "experts" } as const;
  const expertId = toExpertId(0, 1);
  const engine = await openWebGpuExpertEngine({
    model,
    weightDtype: "q8",
    weights: [await writeSyntheticModel(written)],
    expertIds: [expertId],
    threads: 1,
    allowSoftwareAdapter: true,
  });
  const dtype = dispatchDtype("q8");
  const data = new Uint8Array(rows * activationRowBytes(dtype, model.hiddenSize));
  const input = { dtype, rows, width: model.hiddenSize, data };
  const compute = () => engine.forward({ layer: 0, expertId, input });
  try {
    await compute(); // compiles
    const looks: number[] = [];
    let calls = 0;
    while (looks.length < numLooks) {
      const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
      histogram.enable();
      for (const end = performance.now() + lookMs; performance.now() < end; calls++)
        await compute();
      histogram.disable();
      // What is recorded is the time from one look to the next, and so never less than the interval.
      looks.push(histogram.percentile(99) / 1e6 - resolutionMs);
    }
    const p99 = Math.min(...looks);
    const met = p99 < limitMs;
    return { name: "gpu-event-loop-delay", unit: "ms", p99, looks, calls, limit: limitMs, met };
  } finally {
    await engine.close();
  }
}
