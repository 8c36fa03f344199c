// An expert call without its computation, beside the same bytes over raw TCP.
import type { Bar } from "../harness/bar.ts";
import type { Benchmark } from "../harness/benchmark.ts";
import { measureTransport, type TransportCase } from "../transport/measure-transport.ts";

const about: Readonly<Record<TransportCase, string>> = {
  "call-8k-1": "an expert call of 8 KiB there and back",
  "call-8k-8": "eight of them at once, to eight workers",
  "call-4m": "an expert call of 4 MiB there and back",
};

/** A benchmark of one kind of call, to workers that compute nothing. */
export function callBenchmark(name: TransportCase, bars: readonly Bar[]): Benchmark {
  return {
    name,
    about: `${about[name]}; peer: a raw TCP echo of one call's bytes`,
    unit: "µs",
    bars,
    measure: async (setting) => {
      setting.say("starting eight workers that compute nothing, and a raw TCP echo");
      const [found] = await measureTransport([name]);
      const { callUs, echoUs, callP95Us, echoP95Us, isPinned } = found!;
      return {
        samples: callUs,
        peer: { name: "raw TCP", samples: echoUs },
        shapes: about[name],
        dtype: "bf16",
        threads: 1,
        facts: { callP95Us, echoP95Us, pinned: String(isPinned) },
      };
    },
  };
}
