// What is known of one process of a cluster on this machine, told by its log.
import type { LogLine } from "./service-process.ts";

/**
 * - starting: the process runs and has said nothing yet
 * - loading: it reads its shard; doneBytes of totalBytes are checked
 * - waiting: it is loaded and waits for others (a coordinator for its experts)
 * - ready: it answers calls
 * - restarting: it died and is being started again
 * - stopped: it has ended as it was told to
 */
export type MemberState = "starting" | "loading" | "waiting" | "ready" | "restarting" | "stopped";

/** One process of a local cluster. */
export interface MemberStatus {
  /** "coordinator" or "expert 3". */
  readonly name: string;
  readonly state: MemberState;
  readonly pid: number | undefined;
  readonly address: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** What computes: "cpu avx512, 1 thread". Known once loaded. */
  readonly device: string | undefined;
  readonly weightBytes: number | undefined;
  /** Resident memory when it became ready, mapped weights included. */
  readonly residentBytes: number | undefined;
  /** From the start of its process to when it was ready, last. */
  readonly uptimeMs: number | undefined;
  readonly restarts: number;
}

/** The status after one more line of the member's log. */
export function afterLogLine(status: MemberStatus, line: LogLine): MemberStatus {
  const { fields } = line;
  switch (line.event) {
    case "shard loading":
      return {
        ...status,
        state: "loading",
        doneBytes: numberOr(fields.doneBytes, status.doneBytes),
        totalBytes: numberOr(fields.totalBytes, status.totalBytes),
      };
    case "shard loaded":
      return { ...status, state: "waiting", ...loadedFacts(fields) };
    case "ready":
      return { ...status, state: "ready", ...loadedFacts(fields) };
    default:
      return status;
  }
}

function loadedFacts(fields: LogLine["fields"]): Partial<MemberStatus> {
  return {
    ...(typeof fields.device === "string" ? { device: fields.device } : {}),
    ...(typeof fields.weightBytes === "number" ? { weightBytes: fields.weightBytes } : {}),
    ...(typeof fields.uptimeMs === "number" ? { uptimeMs: fields.uptimeMs } : {}),
    ...(typeof fields.residentBytes === "number" ? { residentBytes: fields.residentBytes } : {}),
  };
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}
