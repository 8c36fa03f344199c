// Generate messages that make no sense, to a real coordinator with real workers.
import { create, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import {
  channelOptions,
  GenerateRequestSchema,
  type GenerateResponse,
  InferenceService,
  type WatchClusterStateResponse,
} from "@octet/protocol";
import { createClient, fromServiceError, toMethodDefinition } from "@octet/protocol/grpc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type SmallCluster, startSmallCluster } from "../cluster/small-cluster.ts";
import { malformedConstraints, malformedParameters } from "./malformed-parameters.ts";
import { residentBytes } from "./resident-memory.ts";
import { oneOf, randomBytes, seededRandom, wholeBetween } from "./seeded-random.ts";

const replyTimeoutMs = 10_000;

let cluster: SmallCluster;

beforeAll(async () => {
  cluster = await startSmallCluster();
});

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

type Build = (random: () => number) => unknown;
const text = { case: "text", value: "Once" } as const;

/** Each makes one request that must be refused, with the statuses that say so. */
const requests: Record<string, { build: Build; codes: readonly status[] }> = {
  "no input": { build: () => ({}), codes: [status.INVALID_ARGUMENT] },
  "no tokens": {
    build: () => ({ input: { case: "tokens", value: { ids: [] } } }),
    codes: [status.INVALID_ARGUMENT],
  },
  "a token outside the vocabulary": {
    build: (random) => ({
      input: { case: "tokens", value: { ids: [1, oneOf(random, [320, 32_000, 0xffff_ffff])] } },
    }),
    codes: [status.INVALID_ARGUMENT],
  },
  "a prompt longer than the context": {
    build: (random) => ({
      input: {
        case: "tokens",
        value: { ids: Array(wholeBetween(random, 256, 5_000)).fill(5) },
      },
    }),
    codes: [status.INVALID_ARGUMENT],
  },
  "another model": {
    build: () => ({ model: "mixtral-9x9b", input: text }),
    codes: [status.NOT_FOUND],
  },
  "a temperature out of range": {
    build: (random) => ({
      input: text,
      sampling: { temperature: oneOf(random, [-1, Number.NaN, Number.POSITIVE_INFINITY]) },
    }),
    codes: [status.INVALID_ARGUMENT],
  },
  "top-k of none": {
    build: () => ({ input: text, sampling: { topK: 0 } }),
    codes: [status.INVALID_ARGUMENT],
  },
  "top-p out of range": {
    build: (random) => ({
      input: text,
      sampling: { topP: oneOf(random, [0, -0.5, 1.5, Number.NaN, Number.NEGATIVE_INFINITY]) },
    }),
    codes: [status.INVALID_ARGUMENT],
  },
  "min-p out of range": {
    build: (random) => ({
      input: text,
      sampling: { minP: oneOf(random, [1, 2, -1, Number.NaN]) },
    }),
    codes: [status.INVALID_ARGUMENT],
  },
  "penalties out of range": {
    build: (random) => ({
      input: text,
      sampling: oneOf(random, [
        { repetitionPenalty: oneOf(random, [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) },
        { presencePenalty: oneOf(random, [2.5, -3, Number.NaN]) },
        { frequencyPenalty: oneOf(random, [2.5, -3, Number.NEGATIVE_INFINITY]) },
      ]),
    }),
    codes: [status.INVALID_ARGUMENT],
  },
  "a bias out of range": {
    build: (random) => ({
      input: text,
      sampling: oneOf<object>(random, [
        { logitBias: { [oneOf(random, [320, 0xffff_ffff])]: 1 } },
        { logitBias: { 5: oneOf(random, [101, -101, Number.NaN, Number.POSITIVE_INFINITY]) } },
        { logitBias: Object.fromEntries(Array.from({ length: 1025 }, (_, id) => [id, 1])) },
      ]),
    }),
    codes: [status.INVALID_ARGUMENT],
  },
  "allowed tokens outside the vocabulary": {
    build: (random) => ({
      input: text,
      sampling: { allowedTokenIds: [1, oneOf(random, [320, 0xffff_ffff])] },
    }),
    codes: [status.INVALID_ARGUMENT],
  },
  "no tokens wanted": {
    build: () => ({ input: text, stop: { maxTokens: 0 } }),
    codes: [status.INVALID_ARGUMENT],
  },
  "stop tokens and a shortest answer out of range": {
    build: (random) => ({
      input: text,
      stop: oneOf<object>(random, [
        { tokenIds: [5, oneOf(random, [320, 0xffff_ffff])] },
        { tokenIds: Array(wholeBetween(random, 65, 5_000)).fill(5) },
        { maxTokens: 3, minTokens: oneOf(random, [4, 0xffff_ffff]) },
        { minTokens: 1_000_000 },
      ]),
    }),
    codes: [status.INVALID_ARGUMENT],
  },
  "too many stop strings": {
    build: (random) => ({
      input: text,
      stop: { strings: Array(wholeBetween(random, 17, 500)).fill("x") },
    }),
    codes: [status.INVALID_ARGUMENT],
  },
  "a stop string out of bounds": {
    build: (random) => ({
      input: text,
      stop: { strings: [oneOf(random, ["", "x".repeat(257), "y".repeat(1e6)])] },
    }),
    codes: [status.INVALID_ARGUMENT],
  },
  "an unknown role": {
    build: (random) => ({
      input: {
        case: "chat",
        value: {
          messages: [{ role: oneOf(random, ["", "tool", "USER", "\u0000"]), content: "hello" }],
        },
      },
    }),
    codes: [status.INVALID_ARGUMENT],
  },
  "no messages": {
    build: () => ({ input: { case: "chat", value: { messages: [] } } }),
    codes: [status.INVALID_ARGUMENT],
  },
  "an assistant that speaks first": {
    build: () => ({
      input: {
        case: "chat",
        value: {
          messages: [
            { role: "assistant", content: "a" },
            { role: "user", content: "b" },
          ],
        },
      },
    }),
    codes: [status.INVALID_ARGUMENT],
  },
  "too much text": {
    build: () => ({ input: { case: "text", value: "a".repeat(4 * 1024 * 1024 + 1) } }),
    codes: [status.INVALID_ARGUMENT],
  },
};

const { path, responseDeserialize } = toMethodDefinition(
  InferenceService,
  InferenceService.method.generate,
);

interface Outcome {
  readonly responses: readonly GenerateResponse[];
  readonly code: status;
  readonly details: string;
}

function sendRaw(client: Client, bytes: Uint8Array): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const stream = client.makeServerStreamRequest(
      path,
      (raw: Uint8Array) => Buffer.from(raw),
      responseDeserialize,
      bytes,
      new Metadata(),
      { deadline: Date.now() + replyTimeoutMs },
    );
    const responses: GenerateResponse[] = [];
    stream.on("data", (response: GenerateResponse) => responses.push(response));
    stream.on("error", () => {}); // the status says it
    stream.on("status", ({ code, details }) => {
      if (code === status.DEADLINE_EXCEEDED) reject(new Error("the coordinator did not answer"));
      else resolve({ responses, code, details });
    });
  });
}

function encode(request: unknown): Uint8Array {
  return toBinary(GenerateRequestSchema, create(GenerateRequestSchema, request as never));
}

test("a valid request is answered, so that refusals mean something", async () => {
  const client = new Client(cluster.address, credentials.createInsecure(), channelOptions);
  const outcome = await sendRaw(client, encode({ input: text, stop: { maxTokens: 3 } }));
  client.close();
  expect(outcome.code).toBe(status.OK);
  expect(outcome.responses.at(-1)?.event.case).toBe("finished");
});

type Parameters = (typeof malformedParameters)[number][1];

async function refusalOf(parameters: Parameters) {
  const client = createClient(InferenceService, cluster.address);
  const call = client.generate({ input: text, ...parameters }, { deadlineMs: replyTimeoutMs });
  call.on("error", () => {}); // the loop throws it
  try {
    for await (const { event } of call) throw new Error(`answered with an event: ${event.case}`);
    return undefined;
  } catch (error) {
    return fromServiceError(error);
  } finally {
    client.close();
  }
}

test.each(malformedParameters)("%s is to blame, and is named", async (field, parameters) => {
  const failure = await refusalOf(parameters);
  expect(failure).toMatchObject({ reason: "invalid_parameter", violations: [{ field }] });
  expect(failure!.message).toContain("expected");
});

test.each(malformedConstraints)("%s is refused before anything is generated", async (_, bad) => {
  expect(await refusalOf({ constraint: bad })).toMatchObject({
    reason: "invalid_grammar",
    violations: [{ field: "constraint" }],
  });
});

test("1,000 malformed Generate messages each get a clear status, and nothing leaks", async () => {
  const seed = 4_711;
  const random = seededRandom(seed);
  const client = new Client(cluster.address, credentials.createInsecure(), channelOptions);
  const pid = cluster.coordinator.process.pid!;
  const names = Object.keys(requests);
  const unclear: string[] = [];
  let residentBefore = 0;

  for (let i = 0; i < 1_000; i++) {
    // The first fifth warms the process up: every kind has come by then.
    if (i === 200) residentBefore = residentBytes(pid);
    if (i % 10 === 9) {
      const garbage = Uint8Array.of(0xff, ...randomBytes(random, wholeBetween(random, 1, 300)));
      const { code, details } = await sendRaw(client, garbage);
      if (code === status.OK || details === "") unclear.push(`garbage: ${code} ${details}`);
      continue;
    }
    const name = names[(i + Math.floor(i / 10)) % names.length]!;
    const { build, codes } = requests[name]!;
    const { code, details, responses } = await sendRaw(client, encode(build(random)));
    if (!codes.includes(code) || details.length < 10 || responses.length > 0) {
      unclear.push(`${name}: ${code} ${details}`);
    }
  }
  client.close();
  expect(unclear, `seed ${seed}`).toEqual([]);
  await expectAllBlocksBack();
  expect(residentBytes(pid) - residentBefore).toBeLessThan(96 * 1024 * 1024);
}, 120_000);

/** Waits until nothing runs; then no block may be held. */
async function expectAllBlocksBack(): Promise<void> {
  const client = createClient(InferenceService, cluster.address);
  const watch = client.watchClusterState({}, { deadlineMs: replyTimeoutMs });
  watch.on("error", () => {}); // the loop throws it
  for await (const { state } of watch as AsyncIterable<WatchClusterStateResponse>) {
    const { running, waiting } = state!.scheduler!;
    if (running + waiting > 0) continue;
    const { blocksFree, blocksCached, blocksTotal } = state!.kvCache!;
    expect(blocksFree + blocksCached).toBe(blocksTotal);
    break;
  }
  client.close();
}

test("answers cut off by their reader free everything, and the next is answered", async () => {
  const cut = async (i: number) => {
    const client = createClient(InferenceService, cluster.address);
    const call = client.generate(
      { input: { case: "text", value: `Once ${i}` }, stop: { maxTokens: 200, ignoreEos: true } },
      { deadlineMs: replyTimeoutMs },
    );
    call.on("error", () => {});
    await new Promise((resolve) => call.once("data", resolve));
    if (i % 2 === 0) call.cancel();
    else client.close();
    client.close();
  };
  for (let i = 0; i < 60; i++) await cut(i);
  await expectAllBlocksBack();
  const client = new Client(cluster.address, credentials.createInsecure(), channelOptions);
  const outcome = await sendRaw(client, encode({ input: text, stop: { maxTokens: 3 } }));
  client.close();
  expect(outcome.code).toBe(status.OK);
  expect(cluster.coordinator.lines.filter((line) => line.level === "error")).toEqual([]);
}, 60_000);
