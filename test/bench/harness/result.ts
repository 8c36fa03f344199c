// A measurement as it is told: one JSON object, or one row of the table.
import { areMet, describeBars } from "./bar.ts";
import type { Benchmark, Measurement } from "./benchmark.ts";
import type { Machine } from "./machine.ts";
import { median, pairRatios, summarise } from "./statistics.ts";

/** One line of `--json`. A number without its machine and commit is not a result. */
export interface BenchResult {
  readonly name: string;
  /** The median of the samples. */
  readonly value: number;
  readonly unit: string;
  /** The peer's median in the same run; null where there is none. */
  readonly peer: number | null;
  readonly peerName: string | null;
  /** The median over pairs; null where there is nothing to compare with. */
  readonly ratio: number | null;
  readonly ratioMin: number | null;
  readonly ratioMax: number | null;
  /** The part of the limit that was reached; absent where there is no limit. */
  readonly ofLimit?: number;
  readonly limit?: { readonly name: string; readonly value: number };
  /** "ratio ≥ 1.5, ofLimit ≥ 0.6"; null where there is no bar. */
  readonly bar: string | null;
  readonly met: boolean | null;
  readonly repeats: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly p95: number;
  readonly shapes: string;
  readonly dtype: string;
  readonly threads: number;
  readonly facts: Readonly<Record<string, number | string>>;
  /** The share of the machine that other programs took meanwhile; null if it is not known. */
  readonly otherLoad: number | null;
  readonly machine: Machine;
  readonly commit: string;
}

/** Where, beside what and on what code a result was found. */
export interface Provenance {
  readonly otherLoad: number | undefined;
  readonly machine: Machine;
  /** With "-dirty" where files differ from it. */
  readonly commit: string;
}

/**
 * @returns numbers of six digits, so that lines stay short
 * @throws {AssertionError} if the samples are not in pairs, or not finite
 */
export function toResult(
  benchmark: Pick<Benchmark, "name" | "unit" | "bars">,
  measured: Measurement,
  { otherLoad, machine, commit }: Provenance,
): BenchResult {
  const { samples, peer, limit } = measured;
  const value = summarise(samples);
  const ratios = measured.ratios ?? (peer && pairRatios(samples, peer.samples));
  const ratio = ratios && summarise(ratios);
  const ofLimit = limit && median(limit.shares);
  const judged = {
    value: value.median,
    ...(ratio && { ratio: ratio.median }),
    ...(ofLimit !== undefined && { ofLimit }),
  };
  const hasBars = benchmark.bars.length > 0;
  return rounded({
    name: benchmark.name,
    value: value.median,
    unit: benchmark.unit,
    peer: peer ? median(peer.samples) : null,
    peerName: peer?.name ?? null,
    ratio: ratio?.median ?? null,
    ratioMin: ratio?.min ?? null,
    ratioMax: ratio?.max ?? null,
    ...(limit && { ofLimit: ofLimit!, limit: { name: limit.name, value: median(limit.samples) } }),
    bar: hasBars ? describeBars(benchmark.bars) : null,
    met: hasBars ? areMet(benchmark.bars, judged) : null,
    repeats: samples.length,
    ...value,
    shapes: measured.shapes,
    dtype: measured.dtype,
    threads: measured.threads,
    facts: measured.facts ?? {},
    otherLoad: otherLoad ?? null,
    machine,
    commit,
  });
}

/** Six digits that count: far more than any measurement has. */
function rounded<T>(value: T): T {
  const round = (_key: string, part: unknown) =>
    typeof part === "number" ? Number(part.toPrecision(6)) : part;
  return JSON.parse(JSON.stringify(value, round)) as T;
}
