// Counts a token and a layer, and whether they keep the limits.
import type { ModelConfig, WeightDtype } from "@octet/core";
import type { DecodeCounts } from "./count-decode.ts";
import { formatBytesPerToken } from "./format-bytes.ts";

/** What no engine may exceed. */
export const countLimits = {
  dispatchesPerLayer: 10,
  submitsPerLayer: 1,
  readBacksPerLayer: 1,
  /** Weight bytes read beyond what the format holds, as a share. */
  weightBytesExcess: 0.03,
  objectsCreated: 0,
  kernelsCompiled: 0,
} as const;

/** One side's share of a layer. */
interface SideCounts {
  readonly dispatches: number;
  readonly submits: number;
  readonly readBacks: number;
}

/** One line of `--counts --json`. */
export interface CountsLine {
  readonly name: string;
  readonly dtype: WeightDtype;
  readonly device: string;
  readonly tokens: number;
  readonly layers: number;
  /** A decoded token in one layer, at the coordinator. */
  readonly coordinator: SideCounts;
  /** A call, of which each of the token's experts gets one. */
  readonly worker: SideCounts;
  /** The end of a token's step, after its last layer. */
  readonly finish: SideCounts;
  /** The coordinator's and one worker's. */
  readonly dispatchesPerLayer: number;
  readonly weightBytesPerToken: number;
  readonly formatBytesPerToken: number;
  readonly weightBytesRatio: number;
  readonly objectsCreated: number;
  /** By calls, the first included: engines compile before they are open. */
  readonly kernelsCompiled: number;
  readonly limits: typeof countLimits;
  /** What exceeds its limit, in words. */
  readonly exceeded: readonly string[];
  readonly met: boolean;
}

/** Holds `counts` of decoding with `model` against the limits. */
export function judgeCounts(
  model: ModelConfig,
  dtype: WeightDtype,
  counts: DecodeCounts,
): CountsLine {
  const { device, tokens, layers, expertCalls } = counts;
  const coordinator = sideCounts(counts.coordinator, tokens * layers);
  const worker = sideCounts(counts.worker, expertCalls);
  const finish = sideCounts(counts.finish, tokens);
  const sum = (name: "weightBytesRead" | "objectsCreated") =>
    counts.coordinator[name] + counts.worker[name] + counts.finish[name];
  const weightBytesPerToken = sum("weightBytesRead") / tokens;
  const ofFormat = formatBytesPerToken(model, dtype);
  const figures = {
    dispatchesPerLayer: coordinator.dispatches + worker.dispatches,
    weightBytesPerToken,
    formatBytesPerToken: ofFormat,
    weightBytesRatio: weightBytesPerToken / ofFormat,
    objectsCreated: sum("objectsCreated"),
    kernelsCompiled: counts.kernelsCompiled,
  };
  const exceeded = [
    ...exceededByLayer({ coordinator, worker }, figures.dispatchesPerLayer),
    // Fewer bytes than the format has would be work left out, or bytes not counted.
    ...beyond(
      Math.abs(figures.weightBytesRatio - 1),
      countLimits.weightBytesExcess,
      "share of weight bytes apart from the format's",
    ),
    ...beyond(figures.objectsCreated, countLimits.objectsCreated, "objects created when warm"),
    ...beyond(figures.kernelsCompiled, countLimits.kernelsCompiled, "kernels compiled by calls"),
  ];
  return {
    name: `gpu-counts-${dtype}`,
    ...{ dtype, device, tokens, layers, coordinator, worker, finish },
    ...figures,
    limits: countLimits,
    exceeded,
    met: exceeded.length === 0,
  };
}

function exceededByLayer(
  sides: Readonly<Record<"coordinator" | "worker", SideCounts>>,
  dispatches: number,
): string[] {
  const { dispatchesPerLayer, submitsPerLayer, readBacksPerLayer } = countLimits;
  return [
    ...beyond(dispatches, dispatchesPerLayer, "dispatches a layer"),
    ...Object.entries(sides).flatMap(([who, { submits, readBacks }]) => [
      ...beyond(submits, submitsPerLayer, `submits a layer at the ${who}`),
      ...beyond(readBacks, readBacksPerLayer, `read-backs a layer at the ${who}`),
    ]),
  ];
}

/** A sentence if `found` is more than `most`, or no number. */
function beyond(found: number, most: number, what: string): string[] {
  return found <= most ? [] : [`${what}: expected at most ${most}, found ${found}`];
}

function sideCounts({ dispatches, submits, readBacks }: SideCounts, times: number): SideCounts {
  return {
    dispatches: dispatches / times,
    submits: submits / times,
    readBacks: readBacks / times,
  };
}
