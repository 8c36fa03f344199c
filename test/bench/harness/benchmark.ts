// What the harness runs, and what comes out.
import type { Bar } from "./bar.ts";
import type { BenchSetting } from "./bench-setting.ts";

/** One thing that is measured. */
export interface Benchmark {
  /** Short, without spaces: "decode-q4-8". */
  readonly name: string;
  /** For --list: what the value is, and what it is compared with. */
  readonly about: string;
  readonly unit: string;
  readonly bars: readonly Bar[];
  measure(setting: BenchSetting): Promise<Measurement>;
}

/** What one benchmark found. */
export interface Measurement {
  /** In the benchmark's unit. */
  readonly samples: readonly number[];
  /** What it is compared with, measured beside each sample, in the same unit. */
  readonly peer?: PeerSamples;
  /** One for each sample; unless given, sample over peer. */
  readonly ratios?: readonly number[];
  /** What the machine could do at most, measured beside each sample. */
  readonly limit?: LimitSamples;
  readonly shapes: string;
  readonly dtype: string;
  /** Compute threads of either side. */
  readonly threads: number;
  /** Further facts, for those who read the JSON. */
  readonly facts?: Readonly<Record<string, number | string>>;
}

/** The other side of a comparison. */
export interface PeerSamples {
  /** "llama.cpp", "one process", "raw TCP". */
  readonly name: string;
  readonly samples: readonly number[];
}

/** Which part of what the machine can do was done. */
export interface LimitSamples {
  readonly name: "read-bandwidth" | "int8-peak";
  /** In bytes or operations a second. */
  readonly samples: readonly number[];
  /** One for each sample of the measurement: its part of the limit, 0 .. 1. */
  readonly shares: readonly number[];
}
