// What the machine can do at most, as a result of its own.
import type { Benchmark } from "../harness/benchmark.ts";
import type { LimitName } from "../limits/limits-probe.ts";

const about: Readonly<Record<LimitName, string>> = {
  "read-bandwidth": "bytes a second read in order from mapped weights in the file cache",
  "read-bandwidth-anonymous": "the same from memory of its own, in huge pages if there are any",
  "int8-peak": "products of bytes added up in i32, in registers",
  "bf16-peak": "products of bf16 added up in f32, in registers; f32's where bf16 has none",
  "f32-peak": "products of f32 added up, in registers",
};

/** A benchmark of one limit. */
export function limitBenchmark(name: LimitName): Benchmark {
  const isRead = name.startsWith("read");
  return {
    name,
    about: about[name],
    unit: isRead ? "GB/s" : name === "int8-peak" ? "GOP/s" : "GFLOP/s",
    bars: [],
    measure: async (setting) => {
      const limits = await setting.limits("q4");
      const { instruction } = await limits.measure(name);
      const samples = [];
      for (let i = 0; i < setting.pairs; i++) {
        samples.push((await limits.measure(name)).perSecond / 1e9);
      }
      return {
        samples,
        shapes: isRead ? "1 GiB or more" : "registers",
        dtype: isRead ? "bytes" : name.replace("-peak", ""),
        threads: setting.threads,
        facts: { instruction },
      };
    },
  };
}
