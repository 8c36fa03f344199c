// Which cores processes run on. Where both ends of a connection share one, a message needs no other
// core to wake up, and a raw echo takes a third of the time. Left alone, the scheduler keeps to what
// it once began with, and a ratio says more about that than about the calls.
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

/** Counted now: once pinned, a process sees only the cores that it may use. */
const numCores = availableParallelism();

/** Cores for the two ends of a connection, as on two machines; every core for the rest. */
export const cores = { near: "0", far: "1", all: `0-${numCores - 1}` } as const;

/**
 * Lets a process run on `list` only, with all its threads.
 *
 * @returns whether it worked; it needs two cores, and Linux's taskset
 */
export function pin(pid: number, list: string): boolean {
  if (numCores < 2) return false;
  const { status } = spawnSync("taskset", ["-a", "-c", "-p", list, String(pid)], {
    stdio: "ignore",
  });
  return status === 0;
}
