// Watches the event loops of services that know nothing of it.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** How late an event loop came to its timers, in ms. */
export interface EventLoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const probe = new URL("event-loop-probe.ts", import.meta.url).href;
/** Longest a process may take to write what it saw. */
const answerMsMax = 5_000;
const askAgainMs = 10;

/** Talks to the probes of processes that were started with its environment. */
export class EventLoopWatch implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(): Promise<EventLoopWatch> {
    return new EventLoopWatch(await mkdtemp(join(tmpdir(), "octet-bench-")));
  }

  /** What a process and its children must be started with. */
  get environment(): Readonly<Record<string, string>> {
    return { NODE_OPTIONS: `--import=${probe}`, BENCH_PROBE_DIR: this.#folder };
  }

  /** The delays of process `pid` while `work` ran. */
  async watch(pid: number, work: () => Promise<unknown>): Promise<EventLoopDelay> {
    await this.#signal(pid);
    await work();
    return (await this.#signal(pid)) as EventLoopDelay;
  }

  /** @returns what the process answers: nothing when it begins to watch, what it saw when it ends */
  async #signal(pid: number): Promise<unknown> {
    const file = join(this.#folder, `${pid}.json`);
    process.kill(pid, "SIGUSR2");
    for (let waitedMs = 0; waitedMs < answerMsMax; waitedMs += askAgainMs) {
      await delay(askAgainMs);
      const text = await readFile(file, "utf8").catch(() => undefined);
      if (text === undefined) continue;
      await rm(file);
      return JSON.parse(text);
    }
    throw new Error(`process ${pid} does not answer SIGUSR2; was it started with the probe?`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
