// What the fast path of the workers gains: nine processes with it and without.
import assert from "node:assert/strict";
import type { Benchmark } from "../harness/benchmark.ts";
import { runPairs } from "../harness/paired-run.ts";
import { makePrompts, tokensPerSecond } from "../harness/text-generator.ts";
import type { GrpcGenerator } from "../octet/grpc-generator.ts";
import { SharedWorkers } from "../octet/shared-workers.ts";

const dtype = "q4";
const promptTokens = 16;
const steps = 96;
const vocabSize = 32_000;
/** Until V8 has compiled what handles a call: see nine-processes.ts. */
const warmUpRuns = 8;

/** Decode of some sequences, side by side. */
export function fastPath(name: string, { streams }: { readonly streams: number }): Benchmark {
  return {
    name,
    about: `decode in ${dtype} in nine processes, ${streams} at once; peer: calls through JavaScript`,
    unit: "tokens/s",
    bars: [],
    measure: async (setting) => {
      const { shardsDir } = await setting.models.pair(dtype);
      await using started = new AsyncDisposableStack();
      const start = async (isOn: boolean): Promise<GrpcGenerator> => {
        const workers = await SharedWorkers.start(shardsDir, { OCTET_FAST_PATH: String(isOn) });
        started.use(workers);
        const settings = { OCTET_SPECULATION: "off", OCTET_MICRO_BATCHES: "off" };
        return workers.startCoordinator({ settings, linkDelayMs: 0 });
      };
      const sides = { on: await start(true), off: await start(false) };
      const request = { prompts: makePrompts(streams, promptTokens, vocabSize), steps };
      const { tokenIds } = await sides.off.decode(request);
      const measure = async (side: GrpcGenerator) => {
        const result = await side.decode(request);
        assert.deepEqual(result.tokenIds, tokenIds, "the fast path changes no token");
        return tokensPerSecond(request, result);
      };
      for (let i = 0; i < warmUpRuns; i++) {
        await measure(sides.on);
        await measure(sides.off);
      }
      const samples = await runPairs({
        pairs: setting.pairs,
        ours: () => measure(sides.on),
        theirs: () => measure(sides.off),
      });
      return {
        samples: samples.ours,
        peer: { name: "no fast path", samples: samples.theirs },
        shapes: `2 layers of Mixtral 8x7B, ${streams} × (${promptTokens} + ${steps}) tokens`,
        dtype,
        threads: setting.threads,
        facts: { ...sides.on.meanCall },
      };
    },
  };
}
