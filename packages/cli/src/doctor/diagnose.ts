// From facts to what can be used and what is in the way. Pure.
import { formatBytes } from "../format.ts";
import type { DoctorFacts } from "./doctor-facts.ts";
import { findAdapterProblems, isCapable } from "./find-adapter-problems.ts";
import { findDriverProblems } from "./find-driver-problems.ts";
import type { Finding } from "./finding.ts";

/** Whether an engine can be opened on this machine. */
export interface EngineVerdict {
  readonly isUsable: boolean;
  /** "avx512, 2 threads", or why not. */
  readonly detail: string;
}

/** What the doctor concludes. */
export interface Diagnosis {
  readonly cpu: EngineVerdict;
  readonly webgpu: EngineVerdict;
  /** Problems first. */
  readonly findings: readonly Finding[];
}

/** @param allowSoftware whether a software adapter counts, as OCTET_ALLOW_SOFTWARE_GPU says */
export function diagnose(facts: DoctorFacts, allowSoftware: boolean): Diagnosis {
  // Where one GPU works, what another lacks (an idle integrated one) is only worth knowing.
  const hasGpu = facts.gpu.adapters.some((adapter) => !adapter.isSoftware && isCapable(adapter));
  const findings = [
    ...findCpuProblems(facts),
    ...findDriverProblems(facts).map((f) => (hasGpu ? { ...f, level: "note" as const } : f)),
    ...findAdapterProblems(facts),
    ...findShardProblems(facts),
  ];
  const order = ["problem", "warning", "note"];
  return {
    cpu: judgeCpu(facts),
    webgpu: judgeGpu(facts, allowSoftware),
    findings: findings.toSorted((a, b) => order.indexOf(a.level) - order.indexOf(b.level)),
  };
}

function judgeCpu({ machine }: DoctorFacts): EngineVerdict {
  const [isa] = machine.isas;
  if (isa === undefined) return { isUsable: false, detail: "its kernels are not built" };
  return { isUsable: true, detail: `${isa}, ${machine.threads} threads` };
}

function judgeGpu({ gpu }: DoctorFacts, allowSoftware: boolean): EngineVerdict {
  if (gpu.adapters.length === 0) return { isUsable: false, detail: "no adapter" };
  const capable = gpu.adapters.filter(isCapable);
  const chosen = capable.find(({ isSoftware }) => allowSoftware || !isSoftware);
  if (chosen !== undefined) {
    return { isUsable: true, detail: `${chosen.name} (${chosen.backend})` };
  }
  const detail = capable.length > 0 ? "only a software adapter" : "no adapter that can run it";
  return { isUsable: false, detail };
}

function findCpuProblems({ machine }: DoctorFacts): Finding[] {
  if (machine.isaProblem === undefined) return [];
  const advice = "npm run exec -- true builds them; that needs a C++17 compiler";
  return [{ level: "problem", about: "cpu", text: machine.isaProblem, advice }];
}

function findShardProblems({ shard, machine }: DoctorFacts): Finding[] {
  if (shard === undefined) return [];
  if (shard.problem !== undefined) {
    const advice = "name a folder that octet shard wrote, such as DIR/expert-00";
    return [{ level: "problem", about: "shard", text: shard.problem, advice }];
  }
  const bytes = shard.weightBytes ?? 0;
  if (bytes <= machine.memoryBytes) return [];
  return [
    {
      level: "warning",
      about: "shard",
      text:
        `its weights, ${formatBytes(bytes)}, are more than the memory, ` +
        `${formatBytes(machine.memoryBytes)}: the cpu engine would read them from disk all the time`,
      advice: "use a machine with more memory, or fewer bits (--dtype q4)",
    },
  ];
}
