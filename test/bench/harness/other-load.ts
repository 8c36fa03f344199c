// Whether the machine was ours: what others computed while we measured.
import { readdirSync, readFileSync } from "node:fs";

/** CPU time so far, in the kernel's ticks. */
export interface CpuTime {
  /** Of all cores together, idle time included. */
  readonly total: number;
  /** Of it, what was not idle. */
  readonly busy: number;
  /** Of it, this process and its descendants, those that have ended included. */
  readonly ours: number;
}

/** The times now; undefined where there is no /proc. */
export function readCpuTime(): CpuTime | undefined {
  try {
    const cpu = readFileSync("/proc/stat", "utf8").split("\n")[0]!;
    return { ...parseCpuLine(cpu), ours: treeTicks(readProcesses(), process.pid) };
  } catch {
    return undefined;
  }
}

/** The share of the machine that others took between two times, 0 .. 1. */
export function otherLoad(start: CpuTime, end: CpuTime): number {
  const others = end.busy - start.busy - (end.ours - start.ours);
  return Math.max(0, others) / Math.max(1, end.total - start.total);
}

/** @param line "cpu user nice system idle iowait irq softirq steal guest guest_nice" */
export function parseCpuLine(line: string): Pick<CpuTime, "total" | "busy"> {
  const fields = line.trim().split(/\s+/).slice(1, 9).map(Number); // guest is in user already
  const total = fields.reduce((sum, ticks) => sum + ticks, 0);
  return { total, busy: total - fields[3]! - fields[4]! };
}

/** A process as /proc/PID/stat has it. */
export interface ProcessTicks {
  readonly pid: number;
  readonly parent: number;
  /** Its own, and that of children that it has seen end. */
  readonly ticks: number;
}

/** @param text "PID (NAME) STATE PPID …"; a name may hold anything */
export function parseProcessStat(text: string): ProcessTicks {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  // After state and ppid, utime, stime, cutime and cstime are fields 14 to 17 of proc(5).
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { pid: Number.parseInt(text, 10), parent: Number(fields[1]), ticks };
}

/** The ticks of a process and everything below it. */
export function treeTicks(processes: readonly ProcessTicks[], root: number): number {
  return processes
    .filter(({ pid, parent }) => pid === root || parent === root)
    .map(({ pid, ticks }) => (pid === root ? ticks : treeTicks(processes, pid)))
    .reduce((sum, ticks) => sum + ticks, 0);
}

function readProcesses(): ProcessTicks[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [parseProcessStat(readFileSync(`/proc/${name}/stat`, "utf8"))];
      } catch {
        return []; // it has just ended
      }
    });
}
