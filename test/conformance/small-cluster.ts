import {
  shardGolden,
  startCoordinator,
  type TestedService,
  TestedWorkers,
} from "../cluster/service-cluster.ts";

/** Nine processes that serve a golden model. */
export interface SmallCluster extends AsyncDisposable {
  readonly address: string;
  readonly coordinator: TestedService;
}

/** Starts them and waits until they are ready. */
export async function startSmallCluster(): Promise<SmallCluster> {
  await using started = new AsyncDisposableStack();
  const shards = started.use(await shardGolden("plain", "bf16"));
  const workers = started.use(await TestedWorkers.start(shards.index));
  const coordinator = started.use(await startCoordinator(shards.index, workers.placement));
  const kept = started.move();
  return {
    address: coordinator.address,
    coordinator,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
