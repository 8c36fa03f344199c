// Keeps two runs from writing one output folder. The lock is a file that names its holder.
import { open, readFile, rename, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { CheckpointError, fromSystemError } from "./checkpoint-error.ts";

const lockFileName = "octet.lock";

/** Takeovers tried before giving up: each means that another run was a moment faster. */
const attemptsMax = 5;

const Holder = z.object({
  pid: z.number().int().positive(),
  hostname: z.string(),
  /** When the process started, in the kernel's own count; tells it from a later one's pid. */
  startTicks: z.string().optional(),
});

/**
 * Takes the lock of `outDir`, also from a run on this machine that died holding it. Dispose to
 * release.
 *
 * @throws {CheckpointError} "locked" if a living process, or one on another machine, holds it
 */
export async function lockOutput(outDir: string): Promise<AsyncDisposable> {
  const path = join(outDir, lockFileName);
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    if (await createLock(path)) {
      return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
    }
    await removeIfStale(path);
  }
  throw new CheckpointError(
    "locked",
    { file: path },
    { detail: "other runs keep taking this lock" },
  );
}

async function createLock(path: string): Promise<boolean> {
  const startTicks = await startTicksOf(process.pid);
  try {
    await using file = await open(path, "wx");
    await file.writeFile(JSON.stringify({ pid: process.pid, hostname: hostname(), startTicks }));
    await file.sync();
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw fromSystemError(error, path);
  }
}

/** Returns if the lock is gone; throws "locked" if it is held. */
async function removeIfStale(path: string): Promise<void> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return;
  const holder = parseHolder(text);
  if (holder === undefined || holder.hostname !== hostname() || (await isAlive(holder))) {
    const who =
      holder === undefined
        ? "an unreadable lock"
        : `process ${holder.pid} on ${holder.hostname} writing here`;
    const detail = `expected no other run, found ${who}; if it is gone, delete this file`;
    throw new CheckpointError("locked", { file: path }, { detail });
  }
  // Move first: of two runs that both saw it stale, one moves it and the other finds nothing.
  const aside = `${path}.stale-${process.pid}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return;
    throw fromSystemError(error, path);
  }
  if ((await readFile(aside, "utf8")) === text) {
    await rm(aside, { force: true });
    return;
  }
  await rename(aside, path); // a living run's lock, taken in between: put it back
}

function parseHolder(text: string): z.infer<typeof Holder> | undefined {
  try {
    return Holder.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // cut short by a crash, or not ours
  }
}

async function isAlive(holder: z.infer<typeof Holder>): Promise<boolean> {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if (errnoOf(error) === "ESRCH") return false;
  }
  const startTicks = await startTicksOf(holder.pid);
  return startTicks === undefined || startTicks === holder.startTicks;
}

/** Field 22 of Linux's /proc/PID/stat; undefined where there is no such thing. */
async function startTicksOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The name in field 2 may hold spaces; what follows its last parenthesis starts at field 3.
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[22 - 3];
}

function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
