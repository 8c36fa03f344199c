// HTTP requests that make no sense, to a real gateway before a real cluster.
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { residentBytes } from "../faults/resident-memory.ts";
import { oneOf, randomBytes, seededRandom, wholeBetween } from "../faults/seeded-random.ts";
import { GatewayCluster } from "./gateway-cluster.ts";

const replyTimeoutMs = 10_000;

let cluster: GatewayCluster;

beforeAll(async () => {
  cluster = await GatewayCluster.start();
}, 120_000);
afterAll(() => cluster?.[Symbol.asyncDispose]());

type Random = () => number;

/** Bodies that are answered, and of which some member is then made worse. */
const validBodies: Record<string, () => Record<string, unknown>> = {
  "/v1/chat/completions": () => ({
    model: "octet-tiny",
    messages: [
      { role: "system", content: "Be kind." },
      { role: "user", content: [{ type: "text", text: "Hello" }] },
    ],
    max_tokens: 2,
    temperature: 0.5,
    top_p: 0.9,
    top_k: 5,
    min_p: 0.1,
    seed: 3,
    stop: ["x"],
    logit_bias: { 5: 1 },
    frequency_penalty: 1,
    stream: false,
    logprobs: true,
    top_logprobs: 2,
    routed_experts: true,
    tools: [],
    response_format: { type: "text" },
  }),
  "/v1/completions": () => ({
    prompt: ["Once", "The"],
    max_tokens: 2,
    echo: true,
    stream: true,
    stream_options: { include_usage: true },
    allowed_token_ids: [5, 6],
    n: 1,
    logprobs: 2,
    prompt_logprobs: 1,
    suffix: "",
  }),
  "/tokenize": () => ({ prompt: "Once", add_special_tokens: true }),
  "/detokenize": () => ({ tokens: [1, 5, 6] }),
  "/apply-template": () => ({ messages: [{ role: "user", content: "Hello" }] }),
};
const paths = Object.keys(validBodies);

/** A value that is seldom what a parameter wants. */
function anyValue(random: Random, depth = 0): unknown {
  const scalars = [
    () => null,
    () => true,
    () => -1,
    () => 1e300,
    () => 0.5,
    () => 2 ** 53,
    () => wholeBetween(random, -5, 5),
    () => "",
    () => "\u0000\ud800",
    () => "x".repeat(wholeBetween(random, 0, 3000)),
    () => "</s>[INST]",
  ];
  const nested = [
    () => Array.from({ length: wholeBetween(random, 0, 20) }, () => anyValue(random, depth + 1)),
    () => Object.fromEntries([[String(anyValue(random, 3)), anyValue(random, depth + 1)]]),
    () => ({ role: "user", content: anyValue(random, depth + 1) }),
    () => ({ type: "json_schema", json_schema: { schema: anyValue(random, depth + 1) } }),
  ];
  return oneOf(random, depth < 3 ? [...scalars, ...nested] : scalars)();
}

/** One to three members worse; the answer's length stays bounded, so that no answer takes long. */
function worsen(random: Random, body: Record<string, unknown>): Record<string, unknown> {
  for (let i = wholeBetween(random, 1, 3); i > 0; i--) {
    const names = [...Object.keys(body), "unknown", "__proto__", "constructor", "n", "priority"];
    const name = oneOf(random, names);
    if (name === "max_tokens") body[name] = oneOf(random, [0, -1, 1.5, "2", 1e12, [2], 5000]);
    else if (random() < 0.2) delete body[name];
    else body[name] = anyValue(random);
  }
  return body;
}

function malformedBody(random: Random, path: string): string | Uint8Array<ArrayBuffer> {
  const json = JSON.stringify(worsen(random, validBodies[path]!()));
  const kind = random();
  if (kind < 0.7) return json;
  if (kind < 0.8) return json.slice(0, wholeBetween(random, 0, json.length - 1));
  if (kind < 0.85) return JSON.stringify(anyValue(random));
  if (kind < 0.9) return "[".repeat(wholeBetween(random, 100, 200_000));
  return Uint8Array.from(randomBytes(random, wholeBetween(random, 0, 500)));
}

function contentType(random: Random): string {
  return random() < 0.95
    ? "application/json"
    : oneOf(random, ["text/plain", "application/json; charset=latin1", "a", "multipart/form-data"]);
}

/** What is wrong with how a request was answered, or nothing. */
async function sendMalformed(random: Random): Promise<string | undefined> {
  const path = oneOf(random, paths);
  const response = await cluster.post(path, "", {
    body: malformedBody(random, path),
    headers: { "content-type": contentType(random) },
    signal: AbortSignal.timeout(replyTimeoutMs),
  });
  const text = await response.text();
  if (response.status >= 500) return `${path}: ${response.status} ${text}`;
  if (response.status < 400) {
    return text.includes('"error"') ? `${path}: an error within ${text}` : undefined;
  }
  const { error } = JSON.parse(text);
  return error.message.length < 20 || error.code === "" ? `${path}: unclear ${text}` : undefined;
}

test("2,000 malformed bodies each get a clear 4xx or an answer, and nothing leaks", async () => {
  const seed = 2_718;
  const random = seededRandom(seed);
  const gatewayPid = cluster.gateway.process.pid!;
  const wrong: string[] = [];
  const sendMany = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const problem = await sendMalformed(random);
      if (problem !== undefined) wrong.push(problem.slice(0, 500));
    }
  };
  const sendFromMany = (count: number) =>
    Promise.all(Array.from({ length: 8 }, () => sendMany(count / 8)));
  // The first fifth warms the process up.
  await sendFromMany(400);
  const residentBefore = residentBytes(gatewayPid);
  await sendFromMany(1_600);
  expect(wrong, `seed ${seed}`).toEqual([]);
  expect(residentBytes(gatewayPid) - residentBefore).toBeLessThan(96 * 1024 * 1024);
  const after = await cluster.post("/v1/completions", { prompt: "Once", max_tokens: 2 });
  expect(after.status).toBe(200);
  for (const service of [cluster.gateway, cluster.coordinator]) {
    expect(service.lines.filter(({ level }) => level === "error")).toEqual([]);
  }
}, 180_000);

/** What comes back before the connection ends, within a time. */
function sendRaw(bytes: Uint8Array): Promise<string> {
  const [host, port] = cluster.gateway.address.split(":");
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host);
    let answer = "";
    const timer = setTimeout(() => reject(new Error("the gateway hangs")), replyTimeoutMs);
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(answer);
    });
    // Half-closed: whatever is still expected will not come.
    socket.end(bytes);
  });
}

test("300 connections of bytes that are no HTTP, or not all of it, are ended with 4xx", async () => {
  const seed = 1_618;
  const random = seededRandom(seed);
  const body = JSON.stringify({ prompt: "Once", max_tokens: 2 });
  const head = (length: number | string) =>
    "POST /v1/completions HTTP/1.1\r\nhost: a\r\nconnection: close\r\n" +
    `content-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
  const messages = [
    () => randomBytes(random, wholeBetween(random, 1, 400)),
    () => Buffer.from(`${head(body.length + 50)}${body}`),
    () => Buffer.from(`${head("x")}${body}`),
    () => Buffer.from(`${head(body.length)}${body}`.slice(0, wholeBetween(random, 1, 150))),
    () => Buffer.from(`GET /${"a".repeat(wholeBetween(random, 1, 40_000))} HTTP/1.1\r\n\r\n`),
    () => Buffer.from(`${head(5)}transfer-encoding: chunked\r\n\r\nzz\r\n`),
    () => Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  ];
  for (let i = 0; i < 300; i++) {
    const answer = await sendRaw(oneOf(random, messages)());
    // A connection that ended too early may get nothing; none gets a 5xx.
    if (answer !== "") expect(answer, `seed ${seed}, ${i}`).toMatch(/^HTTP\/1\.1 4\d\d /);
  }
  const after = await cluster.post("/v1/completions", { prompt: "Once", max_tokens: 2 });
  expect(after.status).toBe(200);
  expect(cluster.gateway.lines.filter(({ level }) => level === "error")).toEqual([]);
}, 60_000);
