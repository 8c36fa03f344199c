// Times an expert's feed-forward, whose first half has a kernel of its own for a few rows.
import type { ModelConfig, WeightDtype } from "@octet/core";
import { BindGroups } from "../device/bind-groups.ts";
import {
  type ExpertTuning,
  feedForward,
  type GpuExpert,
  loadExpertKernels,
} from "../expert-kernels.ts";
import { ExpertScratch } from "../expert-scratch.ts";
import { destroyMatrix } from "../gpu-matrix.ts";
import type { IntegerDots, MultiplyTuning } from "../multiply.ts";
import { createRandomMatrix } from "./random-matrix.ts";
import { type KernelCost, keepWorthwhile } from "./size-choice.ts";
import { chooseTuning, copiesOf, productCosts, type TuningLab } from "./tune-products.ts";

/** An expert's sizes are a model's; its kernels look at nothing else of it. */
export interface ExpertSource {
  readonly model: ModelConfig;
  readonly dtype: WeightDtype;
}

/** Experts of random weights, enough of them that no cache holds all. The caller destroys them. */
export function createRandomExperts(lab: TuningLab, { model, dtype }: ExpertSource): GpuExpert[] {
  const { hiddenSize: H, intermediateSize: I } = model;
  const create = (): GpuExpert => ({
    w1: createRandomMatrix(lab.device, dtype, [I, H]),
    w3: createRandomMatrix(lab.device, dtype, [I, H]),
    w2: createRandomMatrix(lab.device, dtype, [H, I]),
  });
  const first = create();
  const sizeBytes = first.w1.sizeBytes + first.w3.sizeBytes + first.w2.sizeBytes;
  const others = Array.from({ length: copiesOf(lab, sizeBytes) - 1 }, create);
  return [first, ...others];
}

export function destroyRandomExperts(experts: readonly GpuExpert[]): void {
  for (const { w1, w3, w2 } of experts) for (const matrix of [w1, w3, w2]) destroyMatrix(matrix);
}

/** The choices for both halves. */
export async function tuneExpert(lab: TuningLab, source: ExpertSource): Promise<ExpertTuning> {
  const { dtype } = source;
  const { fewRows } = lab.candidates;
  const experts = createRandomExperts(lab, source);
  try {
    const down = await chooseTuning(lab, dtype, (dots) => {
      const matrices = experts.map(({ w2 }) => w2);
      return productCosts(lab, matrices, { dots, fewRows });
    });
    return { up: await tuneUp(lab, source, experts), down };
  } finally {
    destroyRandomExperts(experts);
  }
}

/** Tiles by the products of w1 alone, the few by the kernel of both, against two tiles. */
async function tuneUp(
  lab: TuningLab,
  source: ExpertSource,
  experts: readonly GpuExpert[],
): Promise<MultiplyTuning> {
  const few = new Map<IntegerDots, readonly KernelCost[]>();
  const tiles = new Map<IntegerDots, readonly KernelCost[]>();
  const chosen = await chooseTuning(lab, source.dtype, async (dots) => {
    const ofUp = await upCosts(lab, source, { experts, dots });
    const matrices = experts.map(({ w1 }) => w1);
    const ofTiles = await productCosts(lab, matrices, { dots, fewRows: [] });
    few.set(dots, ofUp);
    tiles.set(dots, ofTiles);
    return [...ofUp, ...ofTiles];
  });
  const { dots, tileRows } = chosen;
  const smallest = tiles.get(dots)!.find(({ rows }) => rows === tileRows[0])!;
  const kept = keepWorthwhile(few.get(dots)!, 2 * smallest.microseconds);
  return { dots, tileRows, fewRows: kept.map(({ rows }) => rows) };
}

async function upCosts(
  { device, timer, candidates }: TuningLab,
  { model, dtype }: ExpertSource,
  { experts, dots }: { experts: readonly GpuExpert[]; dots: IntegerDots },
): Promise<KernelCost[]> {
  const scratch = new ExpertScratch(device, model, dtype);
  const groups = new BindGroups(device);
  const costs: KernelCost[] = [];
  try {
    scratch.reserve(Math.max(...candidates.fewRows));
    for (const rows of candidates.fewRows) {
      const one = { dots, fewRows: [rows], tileRows: candidates.tileRows.slice(0, 1) };
      const kernels = loadExpertKernels(device, dtype, { up: one, down: one });
      const alternates = experts.map((expert) => {
        const piece = { numRows: rows, firstRow: 0 };
        return feedForward(kernels, groups, { expert, scratch, rows: piece })[0]!;
      });
      costs.push({ family: "few", rows, microseconds: await timer.time(alternates) });
    }
    return costs;
  } finally {
    scratch.destroy();
  }
}
