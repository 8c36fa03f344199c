// The client against real clusters whose parts are killed while an answer streams.
import { OctetClient, type Retry, UnavailableError } from "@octet/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  launchCoordinator,
  shardGolden,
  startCoordinator,
  type TemporaryShards,
  type TestedService,
  TestedWorkers,
} from "../cluster/service-cluster.ts";

let shards: TemporaryShards;
let workers: TestedWorkers;

beforeAll(async () => {
  shards = await shardGolden("plain", "bf16");
  workers = await TestedWorkers.start(shards.index);
});

afterAll(async () => {
  await workers?.[Symbol.asyncDispose]();
  await shards?.[Symbol.asyncDispose]();
});

const request = {
  text: "Once upon a time",
  stop: { maxTokens: 150, ignoreEos: true },
  details: true,
};
/** Long enough for a worker that starts again on a busy machine. */
const retry = { attemptsMax: 100 };

/** Reads an answer; `strike` is called, and awaited, once the first delta has come. */
async function readWhile(client: OctetClient, strike: () => Promise<void>) {
  let [text, seed] = ["", 0n];
  const tokenIds: number[] = [];
  let isStruck = false;
  for await (const event of client.generate(request)) {
    if (event.case === "started") seed = event.value.seed;
    if (event.case !== "delta") continue;
    text += event.value.text;
    tokenIds.push(...event.value.tokenIds);
    if (!isStruck) await strike();
    isStruck = true;
  }
  return { text, tokenIds, seed };
}

async function kill(service: TestedService): Promise<void> {
  process.kill(service.process.pid!, "SIGKILL");
  await service.process.exited;
}

/** What the same seed gives when nothing is killed. */
async function undisturbed(client: OctetClient, seed: bigint) {
  const { text, tokenIds } = await client.generate({ ...request, sampling: { seed } }).complete();
  return { text, tokenIds, seed };
}

/** A small model may be done before it is struck: then it is asked and struck again. */
async function readStruck(
  addresses: readonly string[],
  strike: () => Promise<() => Promise<void>>,
): Promise<{ answer: Awaited<ReturnType<typeof readWhile>>; retries: readonly Retry[] }> {
  for (let i = 0; i < 20; i++) {
    const retries: Retry[] = [];
    using client = new OctetClient(addresses, { retry, onRetry: (r) => retries.push(r) });
    let mend = async () => {};
    const answer = await readWhile(client, async () => {
      mend = await strike();
    });
    await mend();
    if (retries.length > 0) return { answer, retries };
  }
  throw new Error("20 answers were done before they were struck");
}

test("an answer survives the death of a worker, to the token", async () => {
  await using coordinator = await startCoordinator(shards.index, workers.placement);
  const { answer } = await readStruck([coordinator.address], async () => {
    await kill(workers.workers[3]!);
    const restarted = workers.restart(3);
    return () => restarted;
  });
  expect(answer.tokenIds).toHaveLength(150);
  using client = new OctetClient(coordinator.address, { retry });
  expect(answer).toEqual(await undisturbed(client, answer.seed));
}, 120_000);

test("an answer survives the death of its coordinator, at another", async () => {
  await using second = await startCoordinator(shards.index, workers.placement);
  let first = await startCoordinator(shards.index, workers.placement);
  const addresses = [first.address, second.address];
  try {
    const { answer, retries } = await readStruck(addresses, async () => {
      await kill(first);
      return async () => {
        first = await startCoordinator(shards.index, workers.placement, {
          OCTET_LISTEN: first.address,
        });
      };
    });
    expect(retries).toMatchObject([{ address: addresses[1], error: { address: addresses[0] } }]);
    expect(answer.tokenIds).toHaveLength(150);
    using client = new OctetClient(second.address);
    expect(answer).toEqual(await undisturbed(client, answer.seed));
  } finally {
    await first[Symbol.asyncDispose]();
  }
}, 120_000);

test("a call waits for a coordinator that is only starting", async () => {
  await using coordinator = await launchCoordinator(shards.index, workers.placement);
  using client = new OctetClient(coordinator.address, { retry });
  expect(await client.generate({ ...request, stop: { maxTokens: 3 } }).text()).not.toBe("");
  expect((await client.getModel()).numExperts).toBe(8);
  const { workers: found } = await client.getClusterState();
  expect(found.map((worker) => worker.connected)).toEqual(Array(8).fill(true));
}, 120_000);

test("a coordinator that nobody started is unavailable, by name", async () => {
  using client = new OctetClient("127.0.0.1:1", { retry: { attemptsMax: 1 } });
  const error = await client.listModels().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UnavailableError);
  expect(String(error)).toContain("127.0.0.1:1");
});
