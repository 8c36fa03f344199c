// What a client is told of failures, by a real coordinator: reasons, fields, facts, when to retry.
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { type Failure, InferenceService } from "@octet/protocol";
import {
  createClient,
  fromServiceError,
  type GrpcClient,
  toMethodDefinition,
} from "@octet/protocol/grpc";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type RecordingWorker, startRecordingWorker } from "./recording-worker.ts";
import {
  launchCoordinator,
  shardGolden,
  startCoordinator,
  type TemporaryShards,
  type TestedService,
} from "./service-cluster.ts";

let shards: TemporaryShards;
let worker: RecordingWorker;
let coordinator: TestedService;
let client: GrpcClient<typeof InferenceService>;

const text = { case: "text", value: "Once" } as const;
const bounds = { deadlineMs: 60_000 };
const waitOptions = { timeout: 10_000, interval: 10 };

beforeAll(async () => {
  shards = await shardGolden("plain", "bf16");
  worker = await startRecordingWorker(shards);
  coordinator = await startCoordinator(shards.index, worker.placement, {
    OCTET_EXPERT_DEADLINE_MS: "60000",
    // Less than the model's 256 positions: what is said of the model is what can be had.
    OCTET_KV_TOKENS: "128",
    // One is active, one waits, and the next is too many.
    OCTET_STEP_TOKENS_MAX: "1",
    OCTET_QUEUE_MAX: "1",
  });
  client = createClient(InferenceService, coordinator.address);
});

afterAll(async () => {
  client?.close();
  await coordinator?.[Symbol.asyncDispose]();
  worker?.close();
  await shards?.[Symbol.asyncDispose]();
});

/** How the stream or the answer ends. */
async function failureOf(
  answer: AsyncIterable<unknown> | Promise<unknown>,
): Promise<Failure | undefined> {
  try {
    if (answer instanceof Promise) await answer;
    else for await (const _ of answer);
  } catch (error) {
    return fromServiceError(error);
  }
  throw new Error("expected a failure");
}

const generate = (request: Parameters<typeof client.generate>[0]) =>
  failureOf(client.generate(request, bounds));

test.each([
  ["sampling.top_k", { input: text, sampling: { topK: 0 } }],
  ["stop.max_tokens", { input: text, stop: { maxTokens: 0 } }],
  ["stop.strings[1]", { input: text, stop: { strings: ["a", ""] } }],
  ["input", {}],
  ["tokens.ids[1]", { input: { case: "tokens", value: { ids: [1, 99_999] } } }],
  [
    "chat.messages[1].role",
    {
      input: {
        case: "chat",
        value: {
          messages: [
            { role: "user", content: "" },
            { role: "x", content: "" },
          ],
        },
      },
    },
  ],
  [
    "chat.messages[0]",
    { input: { case: "chat", value: { messages: [{ role: "assistant", content: "x" }] } } },
  ],
] as const)("a request with %s wrong is told which field it is", async (field, request) => {
  // The table's tuples are read-only; a request is written only by its encoder, which reads.
  const found = await generate(request as Parameters<typeof client.generate>[0]);
  expect(found?.reason).toBe("invalid_parameter");
  expect(found?.violations?.map((violation) => violation.field)).toEqual([field]);
  expect(found?.retryAfterMs).toBeUndefined();
});

test("a prompt longer than the context is told both lengths", async () => {
  const { models } = await client.listModels({}, bounds);
  const limit = models[0]!.maxPositions - 1;
  expect(limit).toBe(127);
  const ids = Array<number>(limit + 41).fill(5);
  const found = await generate({ input: { case: "tokens", value: { ids } } });
  expect(found?.reason).toBe("context_length_exceeded");
  // The reason is a field of its own, and not said again in words.
  expect(found?.message).toMatch(/^the prompt has /);
  const { maxPositions } = await client.tokenize({ input: text }, bounds);
  expect(found?.metadata).toEqual({
    limit: `${maxPositions - 1}`,
    found: `${ids.length}`,
  });
});

test("unary calls carry details too", async () => {
  const getModel = await failureOf(client.getModel({ name: "mixtral-9x9b" }, bounds));
  expect(getModel).toMatchObject({ reason: "model_not_found", violations: [{ field: "model" }] });
  const detokenize = await failureOf(client.detokenize({ tokenIds: [1, 99_999] }, bounds));
  expect(detokenize?.violations?.[0]?.field).toBe("token_ids[1]");
});

test("a request too many is told when to ask again", async () => {
  const begin = async (scheduler: { running: number; waiting: number }) => {
    const call = client.generate({ input: text }, bounds);
    call.on("error", () => {}).resume();
    await vi.waitFor(async () => {
      const { state } = await client.getClusterState({}, bounds);
      expect(state?.scheduler).toMatchObject(scheduler);
    }, waitOptions);
    return call;
  };
  const active = await begin({ running: 1, waiting: 0 });
  const waiting = await begin({ running: 1, waiting: 1 });
  const { state } = await client.getClusterState({}, bounds);
  const found = await generate({ input: text });
  for (const call of [active, waiting]) call.cancel();
  expect(state?.kvCache?.blocksFree).toBeLessThan(state!.kvCache!.blocksTotal);
  expect(found).toMatchObject({ reason: "overloaded", metadata: { limit: "1" } });
  expect(found?.retryAfterMs).toBeGreaterThan(0);
}, 60_000);

test("an expired deadline is a timeout, and the workers' calls are withdrawn", async () => {
  await allWithdrawn();
  worker.called.clear();
  worker.cancelled.clear();
  const found = await failureOf(client.generate({ input: text }, { deadlineMs: 1_000 }));
  expect(found?.reason).toBe("timeout");
  expect(worker.called.size).toBeGreaterThan(0);
  await allWithdrawn();
});

test("the coordinator itself ends a call at its deadline, and says why", async () => {
  // A client that sends a deadline and does not keep it: what arrives is the server's own status.
  const raw = new Client(coordinator.address, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = toMethodDefinition(
    InferenceService,
    InferenceService.method.generate,
  );
  const metadata = new Metadata();
  metadata.set("grpc-timeout", "500m");
  const request = { input: text };
  const call = raw.makeServerStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    request,
    metadata,
  );
  const found = await failureOf(call);
  raw.close();
  expect(found).toMatchObject({ reason: "timeout", metadata: {} });
  expect(found?.message).toContain("deadline");
});

test("a coordinator without its experts names the one it missed", async () => {
  await using alone = await launchCoordinator(
    shards.index,
    worker.placement.replaceAll(/=[^,]+/g, "=127.0.0.1:9"),
  );
  await alone.untilLogged("shard loaded");
  await using other = new ClosingClient(alone.address);
  const found = await failureOf(other.client.generate({ input: text }, bounds));
  expect(found?.reason).toBe("expert_unavailable");
  expect(Number(found?.metadata?.expert)).toBeLessThan(shards.index.experts.length);
  expect(found?.retryAfterMs).toBeGreaterThan(0);
});

test("while it loads, a coordinator says so and never that it lacks the method", async () => {
  await using starting = await launchCoordinator(shards.index, worker.placement);
  await using other = new ClosingClient(starting.address);
  await starting.untilLogged("listening");
  for (;;) {
    const answer = await other.client.listModels({}, bounds).catch(fromServiceError);
    if (answer !== undefined && "models" in answer) break;
    expect(answer?.reason).toBe("model_loading");
    expect(answer?.metadata).toHaveProperty("total_bytes");
    expect(answer?.retryAfterMs).toBeGreaterThan(0);
  }
});

const allWithdrawn = () =>
  vi.waitFor(() => expect(worker.cancelled).toEqual(worker.called), waitOptions);

class ClosingClient implements AsyncDisposable {
  readonly client: GrpcClient<typeof InferenceService>;
  constructor(address: string) {
    this.client = createClient(InferenceService, address);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
  }
}
