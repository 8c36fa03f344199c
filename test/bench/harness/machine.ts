// Which machine and which code a result comes from.
import { execFileSync } from "node:child_process";
import { arch, availableParallelism, cpus, release, totalmem, type } from "node:os";
import { supportedCpuIsas } from "@octet/kernels";

/** The machine, in words. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  /** Kernel builds it runs, fastest first. */
  readonly isas: readonly string[];
  readonly system: string;
  readonly node: string;
}

/** The machine that this process runs on. */
export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    isas: supportedCpuIsas(),
    system: `${type()} ${release()} ${arch()}`,
    node: process.version,
  };
}

/** The commit that is checked out, "-dirty" if files differ from it; "unknown" outside of git. */
export function describeCommit(folder: string): string {
  try {
    const git = (...args: string[]) =>
      execFileSync("git", args, {
        cwd: folder,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
    const isDirty = git("status", "--porcelain").trim() !== "";
    return git("rev-parse", "HEAD").trim() + (isDirty ? "-dirty" : "");
  } catch {
    return "unknown";
  }
}
