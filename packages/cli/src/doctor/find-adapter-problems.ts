// Whether an adapter that was found can be used, and which would be. Pure.
import { baselineLimits, type GpuAdapter } from "@octet/kernels";
import { formatBytes } from "../format.ts";
import type { DoctorFacts } from "./doctor-facts.ts";
import type { Finding } from "./finding.ts";

/** Whether the engine could open on it, the permission for software left aside. */
export function isCapable(adapter: GpuAdapter): boolean {
  return adapter.problem === undefined && limitsMissed(adapter).length === 0;
}

/** What is wrong or worth knowing of the adapters. */
export function findAdapterProblems({ gpu, machine, shard }: DoctorFacts): Finding[] {
  const findings: Finding[] = gpu.failures.map((failure) => ({
    level: "problem",
    about: "gpu",
    text: failure,
    advice: "a driver or Dawn failed by itself; look for an update of the driver first",
  }));
  for (const adapter of gpu.adapters) findings.push(...findProblemsOf(adapter, shard));
  const { adapters } = gpu;
  if (adapters.length === 0) {
    findings.push({
      level: "warning",
      about: "gpu",
      text: "no GPU was found",
      advice:
        machine.platform === "linux"
          ? "the problems above say why, if a GPU is there; the cpu engine needs none"
          : "the cpu engine needs none",
    });
  } else if (adapters.every((adapter) => adapter.isSoftware)) {
    findings.push({
      level: "warning",
      about: "gpu",
      text: "the only adapter is a program on the CPU, slower than the cpu engine by far",
      advice: "for tests, OCTET_ALLOW_SOFTWARE_GPU=true takes it; else use the cpu engine",
    });
  }
  findings.push(...findTwins(adapters));
  return findings;
}

function limitsMissed({ limits }: GpuAdapter): string[] {
  return Object.entries(baselineLimits).flatMap(([name, least]) => {
    const found = limits[name] ?? 0;
    return found >= least ? [] : [`${name} is ${found}, needed is ${least}`];
  });
}

function findProblemsOf(adapter: GpuAdapter, shard: DoctorFacts["shard"]): Finding[] {
  const findings: Finding[] = [];
  const { name } = adapter;
  if (adapter.problem !== undefined) {
    findings.push({
      level: "problem",
      about: "gpu",
      text: `${name} cannot run a small shader: ${adapter.problem}`,
      advice: "the driver is incomplete (in a container, often a library of it) or too old",
    });
  }
  for (const missed of limitsMissed(adapter)) {
    findings.push({
      level: "problem",
      about: "gpu",
      text: `${name}: ${missed}`,
      advice: "this device cannot run octet's kernels; use the cpu engine",
    });
  }
  const binding = adapter.limits.maxStorageBufferBindingSize ?? 0;
  const largest = shard?.largestTensorBytes ?? 0;
  if (largest > binding) {
    findings.push({
      level: "problem",
      about: "shard",
      text: `the largest tensor has ${formatBytes(largest)}, ${name} binds ${formatBytes(binding)}`,
      advice: "shard the model in fewer bits (--dtype q8 or q4), or use the cpu engine",
    });
  }
  return findings;
}

/** OCTET_GPU_ADAPTER goes by name, so devices of one name are chosen from outside. */
function findTwins(adapters: readonly GpuAdapter[]): Finding[] {
  const names = adapters.map((adapter) => `${adapter.name} (${adapter.backend})`);
  const twins = new Set(names.filter((name, i) => names.indexOf(name) !== i));
  return Array.from(twins, (name) => ({
    level: "note",
    about: "gpu",
    text: `there are several ${name}, which names cannot tell apart`,
    advice: "give each service its own from outside: see docs/gpu.md, one process a GPU",
  }));
}
