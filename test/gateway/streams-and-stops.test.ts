// What a gateway does while nothing comes, when nobody reads, and when it is told to stop.
import { createConnection } from "node:net";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startGateway, type TestedService } from "../cluster/service-cluster.ts";
import { eventsOf, GatewayCluster } from "./gateway-cluster.ts";
import { answerOf, type Json } from "./read-answers.ts";
import { StreamReader } from "./stream-reader.ts";

let cluster: GatewayCluster;

/** For what ends when it ends; nothing is measured. */
const patience = { timeout: 60_000, interval: 20 };
const pingMs = 100;

beforeAll(async () => {
  cluster = await GatewayCluster.start({
    gateway: { OCTET_PING_MS: `${pingMs}`, OCTET_STALL_MS: "500" },
    // A worker that is stopped on purpose is not away.
    coordinator: { OCTET_EXPERT_DEADLINE_MS: "300000" },
  });
}, 120_000);
afterAll(() => cluster?.[Symbol.asyncDispose]());

const chat = "/v1/chat/completions";
const asked = {
  messages: [{ role: "user", content: "Hello! How are you?" }],
  max_tokens: 30,
  ignore_eos: true,
  seed: 3,
};

/** Lets no expert of layer after layer answer until it is disposed: answers are under way as long. */
function pauseWorkers(): Disposable {
  const pids = cluster.workers.workers.map((worker) => worker.process.pid!);
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  return {
    [Symbol.dispose]: () => {
      for (const pid of pids) process.kill(pid, "SIGCONT");
    },
  };
}

const post = (gateway: TestedService, body: object, path = chat) =>
  fetch(`http://${gateway.address}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

const contentOf = (events: readonly Json[]) =>
  events.map((event) => event.choices?.[0]?.delta?.content ?? "").join("");
const textOf = (json: Json): string => json.choices[0].message.content;

async function running(): Promise<number> {
  const { data } = (await (await cluster.get("/v1/cluster")).json()) as Json;
  return data[0].scheduler.running + data[0].scheduler.waiting;
}

test("a stream with nothing to say says so, begins before its answer, and is whole", async () => {
  const whole = textOf(await answerOf(cluster, chat, asked));
  let stream: StreamReader;
  {
    using _ = pauseWorkers();
    stream = new StreamReader(await post(cluster.gateway, { ...asked, stream: true }));
    await stream.until((text) => text.split(": ping\n\n").length > 3);
    expect(stream.text).toContain('"role":"assistant"');
    expect(stream.text).not.toContain('finish_reason":"');
  }
  expect(contentOf(eventsOf(await stream.toEnd()))).toBe(whole);
}, 120_000);

test("a client that reads nothing is cut off, and its work ends", async () => {
  const port = Number(cluster.gateway.address.split(":")[1]);
  // Some kilobytes for each token: more than all buffers between here and there take.
  const body = JSON.stringify({
    ...asked,
    max_tokens: 1900,
    n: 8,
    stream: true,
    logprobs: true,
    top_logprobs: 20,
    stream_options: { continuous_usage_stats: true },
  });
  const socket = createConnection(port, "127.0.0.1");
  const received: Buffer[] = [];
  socket.on("error", () => {}); // it may be reset
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.pause();
  socket.write(
    `POST ${chat} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  await vi.waitFor(async () => expect(await running()).toBeGreaterThan(0), patience);
  await vi.waitFor(async () => expect(await running()).toBe(0), patience);
  socket.on("data", (bytes) => received.push(bytes)).resume();
  await closed;
  const text = Buffer.concat(received).toString("latin1");
  expect(text).toContain("HTTP/1.1 200");
  expect(text).not.toContain("[DONE]");
  // And nobody else noticed.
  await answerOf(cluster, chat, asked);
}, 180_000);

test("told to stop, it lets answers end, refuses new ones, and ends by itself", async () => {
  const whole = textOf(await answerOf(cluster, chat, asked));
  const settings = { OCTET_DRAIN_MS: "300000", OCTET_PING_MS: `${pingMs}` };
  const gateway = await startGateway([cluster.coordinator.address], settings);
  await using _ = gateway;
  const get = (path: string) => fetch(`http://${gateway.address}${path}`);
  let stream: StreamReader;
  let unread: Promise<Response>;
  {
    using _ = pauseWorkers();
    stream = new StreamReader(await post(gateway, { ...asked, stream: true }));
    unread = post(gateway, asked);
    await vi.waitFor(async () => expect(await running()).toBe(2), patience);
    expect((await get("/readyz")).status).toBe(200);
    process.kill(gateway.process.pid!, "SIGTERM");
    await gateway.untilLogged("stopping");
    for (const [path, body] of [
      [chat, asked],
      [chat, { ...asked, stream: true }],
      ["/v1/completions", { prompt: "a" }],
    ] as const) {
      const refused = await post(gateway, body, path);
      expect(refused.status).toBe(503);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(await refused.json()).toMatchObject({ error: { code: "overloaded" } });
    }
    const notReady = await get("/readyz");
    expect(notReady.status).toBe(503);
    expect((await get("/livez")).status).toBe(200);
  }
  expect(contentOf(eventsOf(await stream.toEnd()))).toBe(whole);
  expect(textOf((await (await unread).json()) as Json)).toBe(whole);
  expect(await gateway.process.exited).toEqual({ code: 0, signal: null });
  await expect(get("/livez")).rejects.toThrow();
}, 120_000);

test("answers that take longer than the drain are ended with a reason, and so is it", async () => {
  const settings = { OCTET_DRAIN_MS: "200", OCTET_PING_MS: `${pingMs}` };
  const gateway = await startGateway([cluster.coordinator.address], settings);
  await using _ = gateway;
  using _paused = pauseWorkers();
  const stream = new StreamReader(await post(gateway, { ...asked, stream: true }));
  const unread = post(gateway, asked);
  await vi.waitFor(async () => expect(await running()).toBe(2), patience);
  process.kill(gateway.process.pid!, "SIGTERM");
  const last = eventsOf(await stream.toEnd()).at(-1) as Json;
  expect(last).toMatchObject({
    choices: [{ finish_reason: "error" }],
    error: { code: "overloaded" },
  });
  expect((await unread).status).toBe(503);
  expect(await gateway.process.exited).toEqual({ code: 0, signal: null });
}, 120_000);

test("the gateway's time for an answer is the coordinator's deadline too", async () => {
  await using gateway = await startGateway([cluster.coordinator.address], {
    OCTET_ANSWER_TIMEOUT_MS: "1000",
    OCTET_PING_MS: `${pingMs}`,
  });
  using _ = pauseWorkers();
  const stream = new StreamReader(await post(gateway, { ...asked, stream: true }));
  const unread = await post(gateway, asked);
  expect(unread.status).toBe(504);
  expect(await unread.json()).toMatchObject({ error: { code: "timeout" } });
  const last = eventsOf(await stream.toEnd()).at(-1);
  expect(last).toMatchObject({ choices: [{ finish_reason: "error" }], error: { code: "timeout" } });
  await vi.waitFor(async () => expect(await running()).toBe(0), patience);
}, 120_000);

test("a strict gateway refuses what it does not know, by name, wherever it stands", async () => {
  await using gateway = await startGateway([cluster.coordinator.address], { OCTET_STRICT: "true" });
  const refusals: [path: string, body: object, param: string][] = [
    [chat, { ...asked, nonsense: 1 }, "nonsense"],
    [chat, { ...asked, stream: true, nonsense: 1 }, "nonsense"],
    [chat, { ...asked, stream: true, stream_options: { usage: true } }, "stream_options.usage"],
    ["/v1/completions", { prompt: "a", best: 1 }, "best"],
    ["/tokenize", { prompt: "a", best: 1 }, "best"],
    ["/detokenize", { tokens: [5], best: 1 }, "best"],
    ["/apply-template", { messages: asked.messages, best: 1 }, "best"],
  ];
  for (const [path, body, param] of refusals) {
    const response = await post(gateway, body, path);
    expect(response.status, path).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: "unknown_parameter", param } });
  }
  // What it knows it takes, null and parameters of no effect included.
  const known = { ...asked, top_p: null, store: true, reasoning_effort: "low" };
  const json = (await (await post(gateway, known)).json()) as Json;
  expect(json.warnings.map(({ param }: Json) => param)).toEqual(["reasoning_effort"]);
}, 120_000);
