// A real worker for a test that sends it what no coordinator would.
import { findFreePorts } from "@octet/cli/free-ports";
import { shardGolden, TestedService } from "../cluster/service-cluster.ts";

/** A worker that is ready, and its end. */
export interface AttackedWorker extends AsyncDisposable {
  readonly service: TestedService;
}

/** Starts one with expert 3 of the golden model "plain", in bf16, on one thread. */
export async function startAttackedWorker(): Promise<AttackedWorker> {
  await using owned = new AsyncDisposableStack(); // what there is goes if the rest fails
  const shards = owned.use(await shardGolden("plain", "bf16"));
  const [port] = await findFreePorts(1);
  const options = {
    name: "expert 3",
    address: `127.0.0.1:${port}`,
    settings: { OCTET_SHARD_DIR: shards.index.experts[3]!.dir, OCTET_THREADS: "1" },
  };
  const service = owned.use(new TestedService("expert-worker", options));
  await service.untilLogged("ready");
  const kept = owned.move();
  return { service, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
