// Everything that `octet doctor` looks at, gathered without judging it.
import { type GpuProbe, probeGpu } from "@octet/kernels";
import { findGpuNodes, type GpuNodes } from "./gpu-nodes.ts";
import { type MachineFacts, readMachineFacts } from "./machine-facts.ts";
import { readShardFacts, type ShardFacts } from "./shard-facts.ts";
import { createLibraryFinder, findVulkanFiles, type VulkanFiles } from "./vulkan-files.ts";

/** What was found on this machine. */
export interface DoctorFacts {
  readonly machine: MachineFacts;
  /** Undefined where Vulkan is not how a GPU is reached: macOS and Windows. */
  readonly vulkan: VulkanFiles | undefined;
  readonly nodes: GpuNodes;
  readonly gpu: GpuProbe;
  /** Variables that containers are given GPUs by, as they are set. */
  readonly containerVariables: Readonly<Record<string, string>>;
  readonly shard: ShardFacts | undefined;
}

const containerVariables = ["NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES"];

/** @param shardDir a shard to look at too */
export async function gatherFacts(
  environment: NodeJS.ProcessEnv,
  shardDir: string | undefined,
): Promise<DoctorFacts> {
  const machine = readMachineFacts();
  const isLinux = machine.platform === "linux";
  const findLibrary = createLibraryFinder(environment);
  return {
    machine,
    vulkan: isLinux ? findVulkanFiles({ environment, findLibrary }) : undefined,
    nodes: findGpuNodes(),
    gpu: await probeGpu({ environment }),
    containerVariables: Object.fromEntries(
      containerVariables.flatMap((name) => {
        const value = environment[name];
        return value === undefined ? [] : [[name, value]];
      }),
    ),
    shard: shardDir === undefined ? undefined : await readShardFacts(shardDir),
  };
}
