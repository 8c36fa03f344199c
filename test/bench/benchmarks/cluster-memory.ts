// Resident memory of the nine processes, once they have answered.
import { readShardSet } from "@octet/checkpoint";
import type { Bar } from "../harness/bar.ts";
import type { BenchSetting } from "../harness/bench-setting.ts";
import type { Benchmark, Measurement } from "../harness/benchmark.ts";
import { makePrompts } from "../harness/text-generator.ts";
import { costsOf } from "../model/model-costs.ts";
import { type ClusterMember, kvTokens } from "../octet/bench-cluster.ts";
import { memoryOf } from "../octet/process-memory.ts";

const dtype = "q4";
/** Enough for every expert of every layer to have had rows, and for memory to stop growing. */
const numPrompts = 4;
const promptTokens = 512;
const decodedTokens = 32;

/** The coordinator's, beside its shard and its KV blocks. */
export function coordinatorMemory(name: string, bars: readonly Bar[]): Benchmark {
  return {
    name,
    about: "resident memory of a coordinator that has answered; peer: its shard and KV blocks",
    unit: "MB",
    bars,
    measure: async (setting) => {
      const { index, cluster } = await useCluster(setting);
      const kvBytes = costsOf(index.model, dtype).kvBytes * kvTokens;
      const shardBytes = index.coordinator.sizeBytes + kvBytes;
      const peer = { name: "its shard + KV", samples: [shardBytes / 1e6] };
      return { ...describe([cluster.coordinator], setting.threads), peer };
    },
  };
}

/** The largest of the eight workers'. Their shards are small, so that Node itself shows. */
export function clusterWorkerMemory(name: string): Benchmark {
  return {
    name,
    about: "resident memory of the largest worker of two layers; peer: its shard",
    unit: "MB",
    bars: [],
    measure: async (setting) => {
      const { index, cluster } = await useCluster(setting);
      const shardBytes = index.experts[0]!.sizeBytes; // all of one size
      const peer = { name: "its shard", samples: [shardBytes / 1e6] };
      return { ...describe(cluster.workers, setting.threads), peer };
    },
  };
}

async function useCluster(setting: BenchSetting) {
  const { shardsDir } = await setting.models.pair(dtype);
  const cluster = await setting.cluster(dtype);
  const index = await readShardSet(shardsDir);
  const prompts = makePrompts(numPrompts, promptTokens, index.model.vocabSize);
  for (const prompt of prompts) await cluster.prefill(prompt);
  await cluster.decode({ prompts: prompts.slice(0, 1), steps: decodedTokens });
  return { index, cluster };
}

function describe(members: readonly ClusterMember[], threads: number): Measurement {
  const [largest] = members
    .map(({ pid }) => memoryOf(pid))
    .sort((a, b) => b.residentBytes - a.residentBytes);
  return {
    samples: [largest!.residentBytes / 1e6],
    shapes: `2 layers of Mixtral 8x7B, after ${numPrompts} prompts of ${promptTokens}`,
    dtype,
    threads,
    facts: { anonymousMb: largest!.anonymousBytes / 1e6, mappedMb: largest!.fileBytes / 1e6 },
  };
}
