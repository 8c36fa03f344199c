// Nine processes that serve a small model, for tests that need no more than that.
import type { ShardSetIndex } from "@octet/checkpoint";
import type { WeightDtype } from "@octet/core";
import {
  goldenModelDir,
  shardModel,
  startCoordinator,
  type TestedService,
  TestedWorkers,
} from "./service-cluster.ts";

/** A coordinator and a worker for each expert, that are ready. */
export interface SmallCluster extends AsyncDisposable {
  /** The coordinator's. */
  readonly address: string;
  readonly coordinator: TestedService;
  readonly workers: TestedWorkers;
  readonly index: ShardSetIndex;
}

/** What is served and how; by default a golden model. */
export interface SmallClusterOptions {
  readonly sourceDir?: string;
  readonly modelName?: string;
  /** Default: bf16. */
  readonly weightDtype?: WeightDtype;
  /** The coordinator's. */
  readonly settings?: Record<string, string>;
}

/** Starts them and waits until they are ready. */
export async function startSmallCluster(options: SmallClusterOptions = {}): Promise<SmallCluster> {
  const { sourceDir = goldenModelDir("plain"), settings, ...names } = options;
  await using started = new AsyncDisposableStack();
  const { index } = started.use(await shardModel({ sourceDir, weightDtype: "bf16", ...names }));
  const workers = started.use(await TestedWorkers.start(index));
  const coordinator = started.use(await startCoordinator(index, workers.placement, settings));
  const kept = started.move();
  return {
    address: coordinator.address,
    coordinator,
    workers,
    index,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
