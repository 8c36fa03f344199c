// Two coordinators behind one gateway, and one of them killed: HTTP clients do not notice.
import { OctetClient } from "@octet/client";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import {
  bundledModelDir,
  shardModel,
  startCoordinator,
  startGateway,
  type TestedService,
  TestedWorkers,
} from "../cluster/service-cluster.ts";
import { eventsOf } from "./gateway-cluster.ts";
import type { Json } from "./read-answers.ts";
import { StreamReader } from "./stream-reader.ts";

const patience = { timeout: 60_000, interval: 20 };
const started = new AsyncDisposableStack();
const coordinators: TestedService[] = [];
/** Where they are, those that were started again too. */
const addresses: string[] = [];
let workers: TestedWorkers;
let startOne: (settings?: Record<string, string>) => Promise<TestedService>;

beforeAll(async () => {
  const model = { sourceDir: bundledModelDir, weightDtype: "bf16", modelName: "m" } as const;
  const { index } = started.use(await shardModel(model));
  workers = started.use(await TestedWorkers.start(index));
  // Workers that are stopped on purpose are not away.
  const patient = { OCTET_EXPERT_DEADLINE_MS: "300000" };
  startOne = (settings) => startCoordinator(index, workers.placement, { ...patient, ...settings });
  started.defer(async () => {
    for (const coordinator of coordinators) await coordinator[Symbol.asyncDispose]();
  });
  for (const _ of [0, 1]) coordinators.push(await startOne());
  addresses.push(...coordinators.map(({ address }) => address));
}, 240_000);
afterAll(() => started.disposeAsync());

/** A gateway that knows both to be ready; it asks the first first. */
async function openGateway(): Promise<TestedService> {
  await using opening = new AsyncDisposableStack();
  const gateway = opening.use(await startGateway(addresses));
  await vi.waitFor(() => {
    const ready = gateway.lines.filter(({ event }) => event === "coordinator ready");
    expect(ready).toHaveLength(addresses.length);
  }, patience);
  opening.move();
  return gateway;
}

const chat = "/v1/chat/completions";
const messages = [{ role: "user", content: "Hello! How are you?" }];
/** Long enough to be struck in its middle. */
const asked = { messages, max_tokens: 250, ignore_eos: true, seed: 5, return_token_ids: true };

const post = (gateway: TestedService, body: object, path = chat) =>
  fetch(`http://${gateway.address}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

async function answer(gateway: TestedService, body: object, path = chat): Promise<Json> {
  const response = await post(gateway, body, path);
  const json = await response.json();
  expect(response.status, JSON.stringify(json)).toBe(200);
  return json;
}

/** Lets no expert answer until it is disposed: answers stand still. */
function pauseWorkers(): Disposable {
  const pids = workers.workers.map((worker) => worker.process.pid!);
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  return {
    [Symbol.dispose]: () => {
      for (const pid of pids) process.kill(pid, "SIGCONT");
    },
  };
}

async function running(address: string): Promise<number> {
  using client = new OctetClient(address);
  const { scheduler } = await client.getClusterState();
  return scheduler!.running + scheduler!.waiting;
}

async function kill(service: TestedService): Promise<void> {
  process.kill(service.process.pid!, "SIGKILL");
  await service.process.exited;
}

/** Some words, or a call. */
const saysSomething = (text: string) =>
  text.includes('"tool_calls"') || text.split('"content":').length > 8;

/** Starts those again that were killed, where they were. */
async function startAgain(...indexes: number[]): Promise<void> {
  for (const index of indexes) {
    coordinators[index] = await startOne({ OCTET_LISTEN: addresses[index]! });
  }
}

/** What of an answer does not depend on when and where it was computed. */
function essence({ choices, usage }: Json) {
  return { choices, tokens: [usage.prompt_tokens, usage.completion_tokens] };
}

/** The same of a stream: each choice's parts, joined. */
function joined(events: readonly Json[]) {
  const choices: Json[] = [];
  for (const { index, delta, finish_reason, token_ids, logprobs } of events.flatMap(
    (event) => event.choices ?? [],
  )) {
    choices[index] ??= { roles: 0, text: "", tokenIds: [], logprobs: [], calls: [], reasons: [] };
    const choice = choices[index];
    if (delta.role !== undefined) choice.roles += 1;
    choice.text += delta.content ?? "";
    choice.tokenIds.push(...(token_ids ?? []));
    choice.logprobs.push(...(logprobs?.content ?? []));
    choice.calls.push(...(delta.tool_calls ?? []));
    if (finish_reason !== null) choice.reasons.push(finish_reason);
  }
  return choices;
}

test("before the first token another is asked, in one piece and streamed", async () => {
  await using gateway = await openGateway();
  const whole = essence(await answer(gateway, asked));
  const streamedWhole = joined(
    eventsOf(await (await post(gateway, { ...asked, stream: true })).text()),
  );
  let answers: Promise<[Json, Response]>;
  {
    using _ = pauseWorkers();
    answers = Promise.all([answer(gateway, asked), post(gateway, { ...asked, stream: true })]);
    // One for each of them.
    await vi.waitFor(async () => {
      expect(await Promise.all(addresses.map(running))).toEqual([1, 1]);
    }, patience);
    await kill(coordinators[0]!);
  }
  const [json, response] = await answers;
  expect(essence(json)).toEqual(whole);
  expect(response.status).toBe(200);
  expect(joined(eventsOf(await response.text()))).toEqual(streamedWhole);
  await gateway.untilLogged("asked another coordinator");
  expect((await fetch(`http://${gateway.address}/readyz`)).status).toBe(200);
  await startAgain(0);
}, 180_000);

const weather = {
  type: "function",
  function: { name: "get_weather", parameters: { type: "object", properties: { city: {} } } },
};
test.each<[name: string, body: object]>([
  ["an answer", asked],
  ["an answer whose seed the first had chosen", { ...asked, seed: undefined, temperature: 1.5 }],
  ["several, with log-probabilities", { ...asked, n: 3, logprobs: true, top_logprobs: 2 }],
  ["a constrained one", { ...asked, ignore_eos: false, response_format: { type: "json_object" } }],
  [
    "calls of tools",
    { messages, max_tokens: 400, seed: 5, n: 2, tools: [weather], tool_choice: "required" },
  ],
])(
  "in its middle %s goes on at another, to the token",
  async (_name, body) => {
    await using gateway = await openGateway();
    const streaming = { ...body, stream: true };
    let stream: StreamReader;
    {
      stream = new StreamReader(await post(gateway, streaming));
      await stream.until(saysSomething);
      using _ = pauseWorkers();
      expect(await running(addresses[0]!)).toBeGreaterThan(0);
      await kill(coordinators[0]!);
    }
    const found = joined(eventsOf(await stream.toEnd()));
    await gateway.untilLogged("asked another coordinator");
    await startAgain(0);
    for (const { roles, reasons } of found) {
      expect(roles).toBe(1);
      expect(reasons).toHaveLength(1);
      expect(reasons[0]).not.toBe("error");
    }
    if ("seed" in body && body.seed === undefined) {
      expect(found[0].tokenIds).toHaveLength(250); // the client compares what comes again
    } else {
      const alone = joined(eventsOf(await (await post(gateway, streaming)).text()));
      expect(found).toEqual(alone);
    }
  },
  180_000,
);

test("what has no other to ask fails as it should, before and in the middle", async () => {
  await using gateway = await openGateway();
  let stream: StreamReader;
  let unread: Promise<Response>;
  {
    stream = new StreamReader(await post(gateway, { ...asked, max_tokens: 400, stream: true }));
    await stream.until(saysSomething);
    using _ = pauseWorkers();
    unread = post(gateway, asked);
    await vi.waitFor(async () => {
      expect(await Promise.all(addresses.map(running))).toEqual([1, 1]);
    }, patience);
    await Promise.all(coordinators.map(kill));
  }
  const last = eventsOf(await stream.toEnd()).at(-1);
  expect(last).toMatchObject({
    choices: [{ finish_reason: "error" }],
    error: { code: "unavailable" },
  });
  const refused = await unread;
  expect(refused.status).toBe(503);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  const error = (await refused.json()) as Json;
  expect(error.message).not.toContain("127.0.0.1");
  await startAgain(0, 1);
  // And is served again as soon as somebody is there.
  await vi.waitFor(async () => expect((await post(gateway, asked)).status).toBe(200), patience);
}, 180_000);
