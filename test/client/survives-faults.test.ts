// The client against real clusters whose parts are killed while an answer streams.
import { type GenerateParams, OctetClient, type Retry, UnavailableError } from "@octet/client";
import type { TokenLogprobs } from "@octet/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  launchCoordinator,
  startCoordinator,
  type TestedService,
} from "../cluster/service-cluster.ts";
import { type SmallCluster, startSmallCluster } from "../cluster/small-cluster.ts";

let cluster: SmallCluster;

beforeAll(async () => {
  cluster = await startSmallCluster();
});

afterAll(() => cluster?.[Symbol.asyncDispose]());

/** One more, over the same workers. */
const startAnother = (settings?: Record<string, string>) =>
  startCoordinator(cluster.index, cluster.workers.placement, settings);

const request = {
  text: "Once upon a time",
  stop: { maxTokens: 150, ignoreEos: true },
  details: true,
};
/** Long enough for a worker that starts again on a busy machine. */
const retry = { attemptsMax: 100 };

/** Whole answers by their indexes: what their deltas bring, joined. */
type Answers = Record<number, { text: string; tokenIds: number[]; logprobs: number[] }>;

/** Reads what is answered; `strike` is called, and awaited, once the first delta has come. */
async function readWhile(
  client: OctetClient,
  params: GenerateParams,
  strike: () => Promise<void> = async () => {},
) {
  const answers: Answers = {};
  const promptLogprobs: number[] = [];
  let seed = 0n;
  let isStruck = false;
  for await (const event of client.generate(params)) {
    if (event.case === "started") seed = event.value.seed;
    if (event.case === "promptLogprobs") promptLogprobs.push(...logprobsOf(event.value.tokens));
    if (event.case !== "delta") continue;
    const { index, text, tokenIds, logprobs } = event.value;
    answers[index] ??= { text: "", tokenIds: [], logprobs: [] };
    answers[index].text += text;
    answers[index].tokenIds.push(...tokenIds);
    answers[index].logprobs.push(...logprobsOf(logprobs));
    if (!isStruck) await strike();
    isStruck = true;
  }
  return { answers, promptLogprobs, seed };
}

function logprobsOf(tokens: readonly TokenLogprobs[]): number[] {
  return tokens.map(({ chosen }) => chosen!.logprob);
}

async function kill(service: TestedService): Promise<void> {
  process.kill(service.process.pid!, "SIGKILL");
  await service.process.exited;
}

/** What the same seed gives when nothing is killed. */
function undisturbed(client: OctetClient, params: GenerateParams, seed: bigint) {
  return readWhile(client, { ...params, sampling: { seed } });
}

/** A small model may be done before it is struck: then it is asked and struck again. */
async function readStruck(
  addresses: readonly string[],
  params: GenerateParams,
  strike: () => Promise<() => Promise<void>>,
): Promise<{ answer: Awaited<ReturnType<typeof readWhile>>; retries: readonly Retry[] }> {
  for (let i = 0; i < 20; i++) {
    const retries: Retry[] = [];
    using client = new OctetClient(addresses, { retry, onRetry: (r) => retries.push(r) });
    let mend = async () => {};
    const answer = await readWhile(client, params, async () => {
      mend = await strike();
    });
    await mend();
    if (retries.length > 0) return { answer, retries };
  }
  throw new Error("20 answers were done before they were struck");
}

/** Kills a worker, which starts again at once. */
async function strikeWorker(): Promise<() => Promise<void>> {
  const { workers } = cluster;
  await kill(workers.workers[3]!);
  const restarted = workers.restart(3);
  return () => restarted;
}

test("an answer survives the death of a worker, to the token", async () => {
  const { answer } = await readStruck([cluster.address], request, strikeWorker);
  expect(answer.answers[0]!.tokenIds).toHaveLength(150);
  using client = new OctetClient(cluster.address, { retry });
  expect(answer).toEqual(await undisturbed(client, request, answer.seed));
}, 120_000);

test("so do several answers, with their log-probabilities and the prompt's, to the bit", async () => {
  const output = { topLogprobs: 2, promptTopLogprobs: 0, progress: true };
  const params = { ...request, n: 3, output };
  const { answer } = await readStruck([cluster.address], params, strikeWorker);
  expect(Object.keys(answer.answers)).toEqual(["0", "1", "2"]);
  for (const { tokenIds, logprobs } of Object.values(answer.answers)) {
    expect([tokenIds.length, logprobs.length]).toEqual([150, 150]);
  }
  expect(answer.promptLogprobs.length).toBeGreaterThan(0);
  using client = new OctetClient(cluster.address, { retry });
  expect(answer).toEqual(await undisturbed(client, params, answer.seed));
}, 120_000);

test("an answer survives the death of its coordinator, at another", async () => {
  let first = await startAnother();
  const addresses = [first.address, cluster.address];
  try {
    const { answer, retries } = await readStruck(addresses, request, async () => {
      await kill(first);
      return async () => {
        first = await startAnother({ OCTET_LISTEN: first.address });
      };
    });
    expect(retries).toMatchObject([{ address: addresses[1], error: { address: addresses[0] } }]);
    expect(answer.answers[0]!.tokenIds).toHaveLength(150);
    using client = new OctetClient(cluster.address);
    expect(answer).toEqual(await undisturbed(client, request, answer.seed));
  } finally {
    await first[Symbol.asyncDispose]();
  }
}, 120_000);

test("a call waits for a coordinator that is only starting", async () => {
  await using coordinator = await launchCoordinator(cluster.index, cluster.workers.placement);
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
