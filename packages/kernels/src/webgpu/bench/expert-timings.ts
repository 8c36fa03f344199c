// Times the kernels of an expert's feed-forward.
import { BindGroups } from "../device/bind-groups.ts";
import { type ExpertTuning, feedForward, loadExpertKernels } from "../expert-kernels.ts";
import { ExpertScratch, rowsPerPiece } from "../expert-scratch.ts";
import {
  createRandomExperts,
  destroyRandomExperts,
  type ExpertSource,
} from "../tuning/tune-expert.ts";
import type { TuningLab } from "../tuning/tune-products.ts";
import {
  type BenchedStep,
  type KernelTiming,
  type TimingContext,
  timeKernel,
} from "./kernel-timing.ts";

/** What the kernels are run with. */
export interface ExpertBench {
  readonly source: ExpertSource;
  readonly tuning: ExpertTuning;
  readonly steps: readonly BenchedStep[];
}

/** Each step's kernels in their order, all of its rows at one expert. */
export async function timeExpert(
  lab: TuningLab,
  context: TimingContext,
  { source, tuning, steps }: ExpertBench,
): Promise<KernelTiming[]> {
  const { device } = lab;
  const experts = createRandomExperts(lab, source);
  const scratch = new ExpertScratch(device, source.model, source.dtype);
  const groups = new BindGroups(device);
  const kernels = loadExpertKernels(device, source.dtype, tuning);
  const timings: KernelTiming[] = [];
  try {
    scratch.reserve(Math.max(...steps.map(({ rows }) => rows)));
    for (const asked of steps) {
      // More of them would go through in pieces.
      const step = { ...asked, rows: Math.min(asked.rows, rowsPerPiece) };
      const rows = { numRows: step.rows, firstRow: 0 };
      const calls = experts.map((expert) =>
        feedForward(kernels, groups, { expert, scratch, rows }),
      );
      for (const place of calls[0]!.keys()) {
        const alternates = calls.map((call) => call[place]!);
        timings.push(await timeKernel(context, alternates, { step, side: "worker" }));
      }
    }
    return timings;
  } finally {
    scratch.destroy();
    destroyRandomExperts(experts);
  }
}
