// Steps in two halves, one attending while the other's experts compute, beside whole steps.
import assert from "node:assert/strict";
import type { BenchSetting } from "../harness/bench-setting.ts";
import type { Benchmark, Measurement } from "../harness/benchmark.ts";
import { median } from "../harness/statistics.ts";
import { makePrompts, tokensPerSecond } from "../harness/text-generator.ts";
import type { GrpcGenerator } from "../octet/grpc-generator.ts";

const dtype = "q4";
const promptTokens = 32;
const steps = 48;
const vocabSize = 32_000;
/** Enough for V8 to have compiled what handles a call, and for "auto" to have compared. */
const warmUpRuns = 3;

const modes = ["on", "off", "auto"] as const;
type Mode = (typeof modes)[number];

/** Streams that are decoded at once, and how far the workers are away, in ms each way. */
export interface MicroBatchCase {
  readonly streams: number;
  readonly linkDelayMs: number;
}

/** Three coordinators that ask the same workers in turn. */
export function microBatches(name: string, about: MicroBatchCase): Benchmark {
  const { streams, linkDelayMs } = about;
  const link = linkDelayMs === 0 ? "" : `, ${linkDelayMs} ms each way to every worker`;
  return {
    name,
    about: `decode in ${dtype} in nine processes, ${streams} streams, steps in halves${link}; peer: whole`,
    unit: "tokens/s",
    bars: [],
    measure: (setting) => measureModes(about, setting),
  };
}

async function measureModes(about: MicroBatchCase, setting: BenchSetting): Promise<Measurement> {
  const { streams, linkDelayMs } = about;
  const workers = await setting.sharedWorkers(dtype);
  const request = { prompts: makePrompts(streams, promptTokens, vocabSize), steps };
  const generators = {} as Record<Mode, GrpcGenerator>;
  for (const mode of modes) {
    // Guesses would make steps of other sizes.
    const settings = { OCTET_MICRO_BATCHES: mode, OCTET_SPECULATION: "off" };
    generators[mode] = await workers.startCoordinator({ settings, linkDelayMs });
  }
  let tokenIds: readonly (readonly number[])[] | undefined;
  const measure = async (mode: Mode) => {
    const result = await generators[mode].decode(request);
    tokenIds ??= result.tokenIds;
    assert.deepEqual(result.tokenIds, tokenIds, "halves change no token");
    return tokensPerSecond(request, result);
  };
  for (const mode of modes) for (let i = 0; i < warmUpRuns; i++) await measure(mode);
  const before = await generators.auto.stepCounts();
  const samples = { on: [], off: [], auto: [] } as Record<Mode, number[]>;
  for (let round = 0; round < setting.pairs; round++) {
    // Each is first, second and last as often.
    for (let i = 0; i < modes.length; i++) {
      const mode = modes[(round + i) % modes.length]!;
      samples[mode].push(await measure(mode));
    }
  }
  const after = await generators.auto.stepCounts();
  const ratios = (mode: Mode) => samples[mode].map((value, i) => value / samples.off[i]!);
  return {
    samples: samples.on,
    peer: { name: "whole steps", samples: samples.off },
    ratios: ratios("on"),
    shapes: `2 layers of Mixtral 8x7B, ${streams} × (${promptTokens} + ${steps}) tokens`,
    dtype,
    threads: setting.threads,
    facts: {
      linkDelayMs,
      autoPerSecond: median(samples.auto),
      autoRatio: median(ratios("auto")),
      autoHalvedShare: (after.halvedSteps - before.halvedSteps) / (after.steps - before.steps),
    },
  };
}
