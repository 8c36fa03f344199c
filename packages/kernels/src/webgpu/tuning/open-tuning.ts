// The choices an engine or a benchmark computes by: kept ones, new ones if asked, or the defaults.
import type { AttentionTuning } from "../attention-kernels.ts";
import type { AttentionShape } from "../attention-shape.ts";
import type { GpuDevice } from "../device/gpu-device.ts";
import type { ExpertTuning } from "../expert-kernels.ts";
import type { MultiplyTuning } from "../multiply.ts";
import { identifyDevice } from "./device-identity.ts";
import { DispatchTimer } from "./dispatch-timer.ts";
import { type ExpertSource, tuneExpert } from "./tune-expert.ts";
import {
  allCandidates,
  type TuningCandidates,
  type TuningLab,
  tuneProduct,
} from "./tune-products.ts";
import { readTuning, type TuningChoices, writeTuning } from "./tuning-cache.ts";
import {
  attentionShapes,
  expertShapes,
  type TunedShape,
  TuningTable,
  tuningKey,
} from "./tuning-table.ts";

/** How to come by choices. */
export interface TuningOptions {
  /** Where they are kept; without it none are. */
  readonly cacheDir?: string | undefined;
  /** Whether to time what is not kept. */
  readonly tune?: boolean | undefined;
  /** Everything that kernels can be told, unless told. */
  readonly candidates?: TuningCandidates;
}

/** A choice, and what is worth a line in a log. */
export interface OpenedTuning<Choice> {
  readonly choice: Choice;
  readonly notes: readonly string[];
}

/** More than the last cache of any GPU of today. */
const rotationBytes = 256 * 1024 * 1024;

/** Enough for a clock of 0.1 ms to be exact to a few percent. */
const timing = { sampleMs: 5, samples: 3 };

/** The choices of one expert engine. */
export async function expertTuning(
  device: GpuDevice,
  source: ExpertSource,
  options: TuningOptions = {},
): Promise<OpenedTuning<ExpertTuning>> {
  const { up, down } = expertShapes(source.model, source.dtype);
  const { table, notes } = await openTable(device, options, [
    {
      shapes: [up, down],
      tune: async (lab) => {
        const tuned = await tuneExpert(lab, source);
        return [tuned.up, tuned.down];
      },
    },
  ]);
  return { choice: { up: table.of(up), down: table.of(down) }, notes };
}

/** The choices of one attention engine. */
export async function attentionTuning(
  device: GpuDevice,
  shape: AttentionShape,
  options: TuningOptions = {},
): Promise<OpenedTuning<AttentionTuning>> {
  const { projection, output, lmHead } = attentionShapes(shape);
  const tuned = await productTuning(device, [projection, output, lmHead], options);
  const [ofProjection, ofOutput, ofLmHead] = tuned.choice;
  const choice = { projection: ofProjection!, output: ofOutput!, lmHead: ofLmHead! };
  return { choice, notes: tuned.notes };
}

/** The choices of products of these shapes, in their order. */
export async function productTuning(
  device: GpuDevice,
  shapes: readonly TunedShape[],
  options: TuningOptions = {},
): Promise<OpenedTuning<readonly MultiplyTuning[]>> {
  const work = shapes.map((shape) => ({
    shapes: [shape],
    tune: async (lab: TuningLab) => [await tuneProduct(lab, shape.dtype, shape.shape)],
  }));
  const { table, notes } = await openTable(device, options, work);
  return { choice: shapes.map((shape) => table.of(shape)), notes };
}

/** Shapes that are tuned together. */
interface TuningWork {
  readonly shapes: readonly TunedShape[];
  tune(lab: TuningLab): Promise<readonly MultiplyTuning[]>;
}

async function openTable(
  device: GpuDevice,
  { cacheDir, tune = false, candidates = allCandidates }: TuningOptions,
  work: readonly TuningWork[],
): Promise<{ table: TuningTable; notes: readonly string[] }> {
  if (cacheDir === undefined && !tune) return { table: new TuningTable(), notes: [] };
  const identity = identifyDevice(device);
  const cached = cacheDir === undefined ? undefined : await readTuning(cacheDir, identity);
  const known: TuningChoices = cached?.choices ?? new Map();
  const notes = cached?.ignored === undefined ? [] : [cached.ignored];
  const table = new TuningTable(known);
  const missing = work.filter(({ shapes }) => !shapes.every((shape) => table.has(shape)));
  if (!tune || missing.length === 0) return { table, notes };
  const found = await tuneAll(device, candidates, missing);
  const choices = new Map([...known, ...found]);
  if (cacheDir === undefined) return { table: new TuningTable(choices), notes };
  const kept = await writeTuning(cacheDir, identity, choices).then(
    (path) => `${path}: tuned choices are kept`,
    (error: unknown) => `tuned choices are not kept: ${error}`,
  );
  return { table: new TuningTable(choices), notes: [...notes, kept] };
}

async function tuneAll(
  device: GpuDevice,
  candidates: TuningCandidates,
  work: readonly TuningWork[],
): Promise<Map<string, MultiplyTuning>> {
  const timer = new DispatchTimer(device, timing);
  // A software adapter's figures mean nothing however they are measured.
  const lab = {
    device,
    timer,
    candidates,
    rotationBytes: device.facts.isSoftware ? 0 : rotationBytes,
  };
  const choices = new Map<string, MultiplyTuning>();
  try {
    for (const { shapes, tune } of work) {
      const tuned = await tune(lab);
      for (const [i, shape] of shapes.entries()) choices.set(tuningKey(shape), tuned[i]!);
    }
    return choices;
  } finally {
    timer.destroy();
  }
}
