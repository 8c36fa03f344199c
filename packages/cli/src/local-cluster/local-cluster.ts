// A coordinator and one worker for each expert, all on this machine, started and kept running.
import { setTimeout as delay } from "node:timers/promises";
import { CommandError } from "../exit-codes.ts";
import { afterLogLine, type MemberStatus } from "./member-status.ts";
import { type LogLine, type ServiceName, ServiceProcess } from "./service-process.ts";

/** Where a gateway listens. */
export interface GatewayAddresses {
  readonly address: string;
  readonly adminAddress: string;
}

/** What a local cluster is made of. */
export interface LocalClusterOptions {
  /** Folders of the shards, one for the coordinator and one for each expert. */
  readonly coordinatorDir: string;
  readonly experts: readonly { expertId: number; dir: string }[];
  readonly engineKind: string;
  /** Handed out to the workers in turn, at least one. */
  readonly workerEngineKinds: readonly string[];
  readonly coordinatorAddress: string;
  /** One for each expert, in the order of `experts`. */
  readonly workerAddresses: readonly string[];
  readonly coordinatorThreads: number;
  readonly workerThreads: number;
  /** Further settings of every process, and of the coordinator alone, by variable name. */
  readonly sharedSettings: Readonly<Record<string, string>>;
  readonly coordinatorSettings: Readonly<Record<string, string>>;
  /** Where to serve HTTP and its metrics; undefined starts no gateway. */
  readonly gateway?: GatewayAddresses | undefined;
  /** Longest the whole cluster may take to become ready, in ms. */
  readonly startTimeoutMs: number;
  readonly onStatus: (status: MemberStatus) => void;
  /** Warnings and errors that a member logged. */
  readonly onWarning: (name: string, line: LogLine) => void;
}

/** Unexpected ends of one member that are answered with a new start, within `restartWindowMs`. */
const restartsMax = 5;
const restartWindowMs = 60_000;
const restartDelayMs = 500;

/** Events after which a service ends by itself; its last words repeat them. */
const startFailures = new Set(["start failed", "settings refused"]);

interface Member {
  readonly service: ServiceName;
  readonly settings: Readonly<Record<string, string>>;
  process: ServiceProcess | undefined;
  status: MemberStatus;
  recentRestarts: number[];
  becameReady: () => void;
  readonly ready: Promise<void>;
}

/** A running local cluster. Ends with this process, whatever happens to it. */
export class LocalCluster {
  readonly #options: LocalClusterOptions;
  readonly #members: Member[] = [];
  #stopping = false;
  #fail!: (error: Error) => void;
  /** Rejects when the cluster can no longer serve: a member died too often, or could not start. */
  readonly failed: Promise<never>;

  private constructor(options: LocalClusterOptions) {
    this.#options = options;
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => {});
  }

  /**
   * Starts every process and resolves once the coordinator serves.
   *
   * @throws {CommandError} with the last words of the process that failed; the others are stopped
   */
  static async start(options: LocalClusterOptions, signal: AbortSignal): Promise<LocalCluster> {
    const cluster = new LocalCluster(options);
    try {
      cluster.#startAll();
      await cluster.#untilReady(signal);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get members(): readonly MemberStatus[] {
    return this.#members.map((member) => member.status);
  }

  /** Stops each before those it asks; every process has ended when it resolves. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const service of ["gateway", "coordinator", "expert-worker"] as const) {
      const group = this.#members.filter((member) => member.service === service);
      await Promise.all(
        group.map(async (member) => {
          await member.process?.stop();
          this.#report(member, { ...member.status, state: "stopped" });
        }),
      );
    }
  }

  #startAll(): void {
    const options = this.#options;
    const shared = { OCTET_LOG_LEVEL: "info", ...options.sharedSettings };
    const { workerEngineKinds } = options;
    options.experts.forEach(({ expertId, dir }, index) => {
      this.#add("expert-worker", `expert ${expertId}`, options.workerAddresses[index]!, {
        ...shared,
        OCTET_ENGINE: workerEngineKinds[index % workerEngineKinds.length]!,
        OCTET_SHARD_DIR: dir,
        OCTET_LISTEN: options.workerAddresses[index]!,
        OCTET_WORKER_ID: `expert-${expertId}`,
        OCTET_THREADS: String(options.workerThreads),
      });
    });
    const placement = options.experts.map((e, index) => {
      return `${e.expertId}=${options.workerAddresses[index]!}`;
    });
    this.#add("coordinator", "coordinator", options.coordinatorAddress, {
      ...shared,
      OCTET_ENGINE: options.engineKind,
      OCTET_WORKER_ENGINES: workerEngineKinds.join(","),
      OCTET_SHARD_DIR: options.coordinatorDir,
      OCTET_LISTEN: options.coordinatorAddress,
      OCTET_EXPERTS: placement.join(","),
      OCTET_THREADS: String(options.coordinatorThreads),
      ...options.coordinatorSettings,
    });
    if (options.gateway !== undefined) {
      this.#add("gateway", "gateway", options.gateway.address, {
        OCTET_LOG_LEVEL: "info",
        OCTET_LISTEN: options.gateway.address,
        OCTET_ADMIN_LISTEN: options.gateway.adminAddress,
        OCTET_COORDINATORS: options.coordinatorAddress,
      });
    }
  }

  #add(
    service: ServiceName,
    name: string,
    address: string,
    settings: Readonly<Record<string, string>>,
  ): void {
    let becameReady = () => {};
    const ready = new Promise<void>((resolve) => {
      becameReady = resolve;
    });
    const status: MemberStatus = {
      name,
      state: "starting",
      pid: undefined,
      address,
      doneBytes: 0,
      totalBytes: 0,
      device: undefined,
      weightBytes: undefined,
      residentBytes: undefined,
      uptimeMs: undefined,
      restarts: 0,
    };
    const member: Member = {
      service,
      settings,
      status,
      recentRestarts: [],
      becameReady,
      ready,
      process: undefined,
    };
    this.#members.push(member);
    this.#spawn(member);
  }

  #spawn(member: Member): void {
    const process = new ServiceProcess({
      name: member.status.name,
      service: member.service,
      settings: member.settings,
      onLog: (line) => {
        const isWarning = line.level === "warn" || line.level === "error";
        // Why a start failed is said once, when the process has ended.
        if (isWarning && !startFailures.has(line.event)) {
          this.#options.onWarning(member.status.name, line);
        }
        const next = afterLogLine(member.status, line);
        if (next === member.status) return;
        this.#report(member, next);
        if (next.state === "ready") member.becameReady();
      },
    });
    member.process = process;
    this.#report(member, { ...member.status, pid: process.pid });
    void process.exited.then(() => this.#afterExit(member, process));
  }

  /** What served before is started again at its address; without its coordinator all is over. */
  async #afterExit(member: Member, process: ServiceProcess): Promise<void> {
    if (this.#stopping) return;
    const { name, state } = member.status;
    const now = performance.now();
    const recent = member.recentRestarts.filter((at) => now - at < restartWindowMs);
    const mayRestart = member.service !== "coordinator" && state === "ready";
    if (!mayRestart || recent.length >= restartsMax) {
      const tooOften = mayRestart ? ` for the ${restartsMax + 1}th time in a minute` : "";
      this.#fail(new CommandError(`${name} ended${tooOften}: ${process.lastWords}`));
      return;
    }
    member.recentRestarts = [...recent, now];
    this.#report(member, {
      ...member.status,
      state: "restarting",
      restarts: member.status.restarts + 1,
    });
    await delay(restartDelayMs);
    if (!this.#stopping) this.#spawn(member);
  }

  async #untilReady(signal: AbortSignal): Promise<void> {
    const { startTimeoutMs } = this.#options;
    const stopWaiting = new AbortController();
    const timeout = delay(startTimeoutMs, undefined, { signal: stopWaiting.signal }).then(() => {
      const late = this.members.filter((m) => m.state !== "ready").map((m) => m.name);
      throw new CommandError(
        `the cluster was not ready after ${startTimeoutMs / 1000} s; still waiting for ` +
          `${late.join(", ")}. A large model needs --start-timeout`,
      );
    });
    const interrupted = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      if (signal.aborted) reject(signal.reason);
    });
    interrupted.catch(() => {});
    try {
      const allReady = Promise.all(this.#members.map((member) => member.ready));
      await Promise.race([allReady, this.failed, timeout, interrupted]);
    } finally {
      stopWaiting.abort();
      timeout.catch(() => {});
    }
  }

  #report(member: Member, status: MemberStatus): void {
    member.status = status;
    this.#options.onStatus(status);
  }
}
