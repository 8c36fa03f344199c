// Workers that several coordinators ask in turn, each with settings of its own: what is compared
// then differs in nothing else.
import { availableParallelism } from "node:os";
import { readShardSet, type ShardSetIndex } from "@octet/checkpoint";
import { startCoordinator, TestedWorkers } from "../../cluster/service-cluster.ts";
import { startDelayedLinks } from "../../network/delayed-links.ts";
import { GrpcGenerator } from "./grpc-generator.ts";

/** One of the coordinators. */
export interface CoordinatorOptions {
  /** Beyond its shard, address and threads: OCTET_KV_TOKENS=... */
  readonly settings: Readonly<Record<string, string>>;
  /** Each way between it and every worker; 0 is the machine's own loopback. */
  readonly linkDelayMs: number;
}

/** A worker process for each expert of a set of shards. They compute only while they are asked. */
export class SharedWorkers implements AsyncDisposable {
  readonly #index: ShardSetIndex;
  readonly #workers: TestedWorkers;
  /** What depends on them, to be ended before them. */
  readonly #dependents = new AsyncDisposableStack();
  readonly #links = new Map<number, Promise<string>>();

  private constructor(index: ShardSetIndex, workers: TestedWorkers) {
    this.#index = index;
    this.#workers = workers;
  }

  /** @param settings of the workers, beyond shards and addresses */
  static async start(
    shardsDir: string,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<SharedWorkers> {
    const index = await readShardSet(shardsDir);
    const workers = await TestedWorkers.start(index, { ...serviceSettings(), ...settings });
    return new SharedWorkers(index, workers);
  }

  /** Starts one; it ends with the workers. */
  async startCoordinator({ settings, linkDelayMs }: CoordinatorOptions): Promise<GrpcGenerator> {
    const placement = await this.#placement(linkDelayMs);
    const service = await startCoordinator(this.#index, placement, {
      ...serviceSettings(),
      ...settings,
    });
    this.#dependents.use(service);
    return this.#dependents.adopt(new GrpcGenerator(service.address), (one) => one.close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dependents.disposeAsync();
    await this.#workers[Symbol.asyncDispose]();
  }

  #placement(linkDelayMs: number): Promise<string> {
    let placement = this.#links.get(linkDelayMs);
    placement ??=
      linkDelayMs === 0 ? Promise.resolve(this.#workers.placement) : this.#link(linkDelayMs);
    this.#links.set(linkDelayMs, placement);
    return placement;
  }

  async #link(delayMs: number): Promise<string> {
    const targets = this.#workers.workers.map(({ address }) => address);
    const { addresses } = this.#dependents.use(await startDelayedLinks(targets, delayMs));
    return addresses.map((address, expertId) => `${expertId}=${address}`).join(",");
  }
}

/** As `octet up` starts them. */
function serviceSettings(): Record<string, string> {
  return {
    OCTET_THREADS: String(availableParallelism()),
    OCTET_VERIFY: "false",
    OCTET_LOG_LEVEL: "info",
  };
}
