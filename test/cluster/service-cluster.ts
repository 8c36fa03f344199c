// Real processes for tests: workers and a coordinator on free loopback ports, ended by the test.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readShardSet, type ShardSetIndex, shardCheckpoint } from "@octet/checkpoint";
import { findFreePorts } from "@octet/cli/free-ports";
import { type LogLine, type ServiceName, ServiceProcess } from "@octet/cli/service-process";
import type { WeightDtype } from "@octet/core";

/** Longest a process may take to become ready: nine compile their shaders on two cores at once. */
const readyTimeoutMs = 150_000;

/** The checkpoint that comes with the sources. */
export const bundledModelDir = fileURLToPath(new URL("../../models/octet-tiny", import.meta.url));

/** A checkpoint that transformers made. */
export function goldenModelDir(name: string): string {
  return fileURLToPath(new URL(`../golden/models/${name}`, import.meta.url));
}

/** A folder of shards that lasts until `remove` is called. */
export interface TemporaryShards extends AsyncDisposable {
  readonly index: ShardSetIndex;
}

/** Shards a golden model into a temporary folder. */
export function shardGolden(name: string, dtype: WeightDtype): Promise<TemporaryShards> {
  return shardModel({ sourceDir: goldenModelDir(name), weightDtype: dtype });
}

/** Shards the bundled model into a temporary folder. */
export function shardBundled(dtype: WeightDtype): Promise<TemporaryShards> {
  return shardModel({ sourceDir: bundledModelDir, weightDtype: dtype });
}

/** Shards a model into a temporary folder. */
export async function shardModel(
  model: Omit<Parameters<typeof shardCheckpoint>[0], "outDir">,
): Promise<TemporaryShards> {
  const folder = await mkdtemp(join(tmpdir(), "octet-test-"));
  const outDir = join(folder, "shards");
  await shardCheckpoint({ ...model, outDir });
  return {
    index: await readShardSet(outDir),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** One service under test; everything it logs is kept. */
export class TestedService implements AsyncDisposable {
  readonly process: ServiceProcess;
  readonly address: string;
  readonly lines: LogLine[] = [];
  readonly #waiting: { event: string; resolve: () => void }[] = [];

  constructor(
    service: ServiceName,
    options: { name: string; address: string; settings: Record<string, string> },
  ) {
    this.address = options.address;
    this.process = new ServiceProcess({
      name: options.name,
      service,
      settings: { OCTET_LISTEN: options.address, OCTET_LOG_LEVEL: "debug", ...options.settings },
      onLog: (line) => {
        this.lines.push(line);
        for (const waiter of this.#waiting) if (waiter.event === line.event) waiter.resolve();
      },
    });
  }

  /** Resolves once the service has logged `event`; rejects if it ends or takes too long. */
  async untilLogged(event: string): Promise<void> {
    if (this.lines.some((line) => line.event === event)) return;
    const logged = new Promise<void>((resolve) => this.#waiting.push({ event, resolve }));
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new Error(`${this.process.name} did not log "${event}"`)),
      readyTimeoutMs,
    );
    const ended = this.process.exited.then((exit) => {
      throw new Error(
        `${this.process.name} ended (${JSON.stringify(exit)}) before "${event}": ` +
          this.process.lastWords,
      );
    });
    try {
      await Promise.race([logged, late, ended]);
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.stop();
  }
}

/** What one worker is told beyond its shard and address. */
export type WorkerSettings = (expertId: number) => Record<string, string>;

/** Workers for every expert of a shard set, and what a coordinator must be told of them. */
export class TestedWorkers implements AsyncDisposable {
  readonly workers: TestedService[];
  readonly #index: ShardSetIndex;
  readonly #settingsOf: WorkerSettings;

  private constructor(
    index: ShardSetIndex,
    addresses: readonly string[],
    settingsOf: WorkerSettings,
  ) {
    this.#index = index;
    this.#settingsOf = settingsOf;
    this.workers = addresses.map((address, expertId) => this.#launch(expertId, address));
  }

  /** Starts one worker an expert and waits until all are ready. */
  static async start(
    index: ShardSetIndex,
    settings: Record<string, string> | WorkerSettings = {},
  ): Promise<TestedWorkers> {
    const ports = await findFreePorts(index.experts.length);
    const addresses = ports.map((port) => `127.0.0.1:${port}`);
    const workers = new TestedWorkers(
      index,
      addresses,
      typeof settings === "function" ? settings : () => settings,
    );
    try {
      await Promise.all(workers.workers.map((worker) => worker.untilLogged("ready")));
    } catch (error) {
      await workers[Symbol.asyncDispose]();
      throw error;
    }
    return workers;
  }

  /** OCTET_EXPERTS for a coordinator. */
  get placement(): string {
    return this.workers.map((worker, expertId) => `${expertId}=${worker.address}`).join(",");
  }

  /** Starts the expert's worker again at the address it had. */
  async restart(expertId: number): Promise<void> {
    const { address } = this.workers[expertId]!;
    this.workers[expertId] = this.#launch(expertId, address);
    await this.workers[expertId]!.untilLogged("ready");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker[Symbol.asyncDispose]()));
  }

  #launch(expertId: number, address: string): TestedService {
    return new TestedService("expert-worker", {
      name: `expert ${expertId}`,
      address,
      settings: {
        OCTET_SHARD_DIR: this.#index.experts[expertId]!.dir,
        OCTET_THREADS: "1",
        ...this.#settingsOf(expertId),
      },
    });
  }
}

/** Starts a coordinator without waiting for anything. */
export async function launchCoordinator(
  index: ShardSetIndex,
  placement: string,
  settings: Record<string, string> = {},
): Promise<TestedService> {
  const [port] = await findFreePorts(1);
  return new TestedService("coordinator", {
    name: "coordinator",
    address: `127.0.0.1:${port}`,
    settings: {
      OCTET_SHARD_DIR: index.coordinator.dir,
      OCTET_EXPERTS: placement,
      OCTET_THREADS: "1",
      ...settings,
    },
  });
}

/** Starts a coordinator for running workers and waits until it is ready. */
export async function startCoordinator(
  index: ShardSetIndex,
  placement: string,
  settings: Record<string, string> = {},
): Promise<TestedService> {
  const coordinator = await launchCoordinator(index, placement, settings);
  try {
    await coordinator.untilLogged("ready");
  } catch (error) {
    await coordinator[Symbol.asyncDispose]();
    throw error;
  }
  return coordinator;
}

/** Starts a gateway before running coordinators and waits until it knows that one is ready. */
export async function startGateway(
  coordinators: readonly string[],
  settings: Record<string, string> = {},
): Promise<TestedService> {
  const [port, adminPort] = await findFreePorts(2);
  const gateway = new TestedService("gateway", {
    name: "gateway",
    address: `127.0.0.1:${port}`,
    settings: {
      OCTET_ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
      OCTET_COORDINATORS: coordinators.join(","),
      ...settings,
    },
  });
  try {
    await gateway.untilLogged("coordinator ready");
  } catch (error) {
    await gateway[Symbol.asyncDispose]();
    throw error;
  }
  return gateway;
}
