// What runs here, without GPUs: program, processor, memory, container.
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { type CpuIsa, supportedCpuIsas } from "@octet/kernels";

/** This process's surroundings. */
export interface MachineFacts {
  readonly node: string;
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  /** Whether the process is in a container, as far as it can tell. */
  readonly isContainer: boolean;
  readonly cpu: string;
  /** Threads that this process may use. */
  readonly threads: number;
  /** Builds of the CPU kernels that run here, fastest first; empty if the addon is missing. */
  readonly isas: readonly CpuIsa[];
  /** Why there are none. */
  readonly isaProblem: string | undefined;
  /** The machine's memory, or less if the process is limited to less. */
  readonly memoryBytes: number;
  readonly memoryFreeBytes: number;
}

/** Reads them from the process and the operating system. */
export function readMachineFacts(): MachineFacts {
  const limit = process.constrainedMemory();
  return {
    node: process.version,
    platform: process.platform,
    arch: process.arch,
    isContainer: isContainer(),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    threads: availableParallelism(),
    ...readIsas(),
    memoryBytes: limit > 0 ? Math.min(limit, totalmem()) : totalmem(),
    memoryFreeBytes: process.availableMemory(),
  };
}

function readIsas(): Pick<MachineFacts, "isas" | "isaProblem"> {
  try {
    return { isas: supportedCpuIsas(), isaProblem: undefined };
  } catch (error) {
    return { isas: [], isaProblem: error instanceof Error ? error.message : String(error) };
  }
}

function isContainer(): boolean {
  if (existsSync("/.dockerenv") || existsSync("/run/.containerenv")) return true;
  if (process.env.KUBERNETES_SERVICE_HOST !== undefined) return true;
  try {
    return /docker|containerd|kubepods|libpod/.test(readFileSync("/proc/1/cgroup", "utf8"));
  } catch {
    return false; // no Linux
  }
}
