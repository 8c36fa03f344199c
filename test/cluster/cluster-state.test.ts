// The state of a real cluster, asked and watched, by gRPC and by octet ps.
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { type ClusterState, InferenceService } from "@octet/protocol";
import { createClient, type GrpcClient } from "@octet/protocol/grpc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runOctet, startOctet } from "./octet-command.ts";
import { type SmallCluster, startSmallCluster } from "./small-cluster.ts";

let cluster: SmallCluster;
let client: GrpcClient<typeof InferenceService>;
const bounds = { deadlineMs: 60_000 };

beforeAll(async () => {
  cluster = await startSmallCluster({
    settings: {
      OCTET_KV_TOKENS: "1024",
    },
  });
  client = createClient(InferenceService, cluster.address);
});

afterAll(async () => {
  client?.close();
  await cluster?.[Symbol.asyncDispose]();
});

test("a state names every worker, the KV cache and what runs", async () => {
  const { state } = await client.getClusterState({}, bounds);
  expect(state).toMatchObject({
    model: cluster.index.modelName,
    ready: true,
    kvCache: { blockTokens: 16, blocksTotal: 64, blocksFree: 64 },
    scheduler: { running: 0, waiting: 0 },
  });
  expect(state?.workers).toHaveLength(cluster.index.experts.length);
  for (const [expertId, found] of state!.workers.entries()) {
    expect(found).toMatchObject({
      workerId: `expert-${expertId}`,
      address: cluster.workers.workers[expertId]!.address,
      engineKind: "cpu",
      expertIds: [expertId],
      connected: true,
    });
    expect(found.weightBytes).toBeGreaterThan(0n);
  }
});

test("a watch sees a worker lost, and back", async () => {
  const call = client.watchClusterState({}, bounds);
  const states = call[Symbol.asyncIterator]();
  const next = async (): Promise<ClusterState> => (await states.next()).value.state;
  const until = async (wanted: (state: ClusterState) => boolean): Promise<ClusterState> => {
    for (;;) {
      const state = await next();
      if (wanted(state)) return state;
    }
  };
  const first = await next();
  expect(first.ready).toBe(true);

  await cluster.workers.workers[1]![Symbol.asyncDispose]();
  const lost = await until((state) => !state.ready);
  expect(lost.version).toBeGreaterThan(first.version);
  expect(lost.workers.map((worker) => worker.connected)).toEqual(
    lost.workers.map((_, expertId) => expertId !== 1),
  );
  expect(lost.workers[1]?.lastError).not.toBe("");
  await cluster.workers.restart(1);
  const back = await until((state) => state.ready);
  expect(back.workers.every((worker) => worker.connected)).toBe(true);
  call.on("error", () => {});
  call.cancel();
}, 60_000);

test("octet ps prints a table, or JSON, once or at each change", async () => {
  const address = ["--address", cluster.address];
  const table = await runOctet(["ps", ...address], { cacheDir: tmpdir() });
  expect(table.code, table.stderr).toBe(0);
  expect(table.stdout).toMatch(/^EXPERT +WORKER +ADDRESS +STATE/m);
  expect(table.stdout).toMatch(/^0 +expert-0 +127\.0\.0\.1:\d+ +connected +cpu/m);

  const json = await runOctet(["ps", "--json", ...address], { cacheDir: tmpdir() });
  const state = JSON.parse(json.stdout);
  expect(state.workers).toHaveLength(cluster.index.experts.length);
  expect(state.scheduler).toEqual(expect.objectContaining({ running: 0, waiting: 0 }));

  const watching = startOctet(["ps", "--watch", "--json", ...address], tmpdir());
  for await (const line of createInterface({ input: watching.stdout })) {
    expect(JSON.parse(line)).toMatchObject({ ready: true });
    break;
  }
  const ended = new Promise((resolve) => watching.once("close", resolve));
  watching.kill("SIGINT");
  expect(await ended).toBe(130);
}, 60_000);

test("octet ps says what is not there, with its exit code", async () => {
  const { code, stderr } = await runOctet(["ps", "--address", "127.0.0.1:9"], {
    cacheDir: tmpdir(),
  });
  expect(code).toBe(3);
  expect(stderr).toContain("127.0.0.1:9");
}, 30_000);
