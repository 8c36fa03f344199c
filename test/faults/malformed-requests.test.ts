// Every method and every field there is, from their descriptions, so that a new one is tried too.
import { create, type DescMethod, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import { channelOptions, InferenceService } from "@octet/protocol";
import { createClient, fromServiceError, toMethodDefinition } from "@octet/protocol/grpc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type SmallCluster, startSmallCluster } from "../cluster/small-cluster.ts";
import { randomMessage } from "./random-message.ts";
import { residentBytes } from "./resident-memory.ts";
import { oneOf, randomBytes, seededRandom, wholeBetween } from "./seeded-random.ts";

const replyTimeoutMs = 20_000;
const numRequests = 2_000;
const inFlight = 8;
/** A request may happen to be right: its answer is cut off after this many messages. */
const responsesMax = 3;

let cluster: SmallCluster;

beforeAll(async () => {
  cluster = await startSmallCluster();
});

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

interface Outcome {
  readonly code: status;
  readonly details: string;
  readonly reason: string | undefined;
  readonly wasAnswered: boolean;
}

/** A unary method looks like a stream of one on the wire. */
function send(client: Client, method: DescMethod, bytes: Uint8Array): Promise<Outcome> {
  const { path, responseDeserialize } = toMethodDefinition(InferenceService, method);
  return new Promise((resolve) => {
    const stream = client.makeServerStreamRequest(
      path,
      (raw: Uint8Array) => Buffer.from(raw),
      responseDeserialize,
      bytes,
      new Metadata(),
      { deadline: Date.now() + replyTimeoutMs },
    );
    let responses = 0;
    let reason: string | undefined;
    stream.on("data", () => {
      if (++responses === responsesMax || method.localName === "watchClusterState") stream.cancel();
    });
    stream.on("error", (error) => {
      reason = fromServiceError(error)?.reason;
    });
    stream.on("status", ({ code, details }) =>
      // The error is emitted before or after: its reason is read a turn later.
      setImmediate(() => resolve({ code, details, reason, wasAnswered: responses > 0 })),
    );
  });
}

/** A message, or what is left of one that was damaged on its way. */
function randomRequest(random: () => number, method: DescMethod): Uint8Array {
  const message = create(method.input, randomMessage(random, method.input));
  const bytes = toBinary(method.input, message);
  const damage = random();
  if (damage < 0.05) return randomBytes(random, wholeBetween(random, 0, 300));
  if (damage < 0.1) return bytes.subarray(0, wholeBetween(random, 0, bytes.length));
  if (damage < 0.2 && bytes.length > 0) {
    bytes[wholeBetween(random, 0, bytes.length - 1)] = wholeBetween(random, 0, 255);
  }
  return bytes;
}

function parses(method: DescMethod, bytes: Uint8Array): boolean {
  try {
    fromBinary(method.input, bytes);
    return true;
  } catch {
    return false;
  }
}

/** What a message that parses may end with: an answer, or the client's own mistake. */
const clearCodes: readonly status[] = [
  status.OK,
  status.CANCELLED, // by this test
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
];

function complaint(method: DescMethod, bytes: Uint8Array, outcome: Outcome): string | undefined {
  const { code, details, wasAnswered } = outcome;
  const what = `${method.name}: ${status[code]} ${details}`;
  // gRPC's library ends what it cannot parse, before any handler is asked.
  if (!parses(method, bytes)) return code === status.INTERNAL ? undefined : `garbage to ${what}`;
  if (!clearCodes.includes(code)) return what;
  if (code === status.CANCELLED && !wasAnswered) return `unasked: ${what}`;
  if (code === status.INVALID_ARGUMENT && details.length < 10) return `unclear: ${what}`;
  return undefined;
}

test(`${numRequests} random requests to every method are answered or refused, clearly`, async () => {
  const seed = Number(process.env.OCTET_TEST_SEED ?? 20_261);
  const random = seededRandom(seed);
  const client = new Client(cluster.address, credentials.createInsecure(), channelOptions);
  const pid = cluster.coordinator.process.pid!;
  const counts = new Map<string, number>();
  const complaints: string[] = [];
  let residentBefore = 0;
  for (let i = 0; i < numRequests; i += inFlight) {
    // The first fifth warms the process up: every kind has come by then.
    if (i === numRequests / 5) residentBefore = residentBytes(pid);
    await Promise.all(
      Array.from({ length: inFlight }, async () => {
        const method = oneOf(random, InferenceService.methods);
        const bytes = randomRequest(random, method);
        const outcome = await send(client, method, bytes);
        const found = complaint(method, bytes, outcome);
        if (found !== undefined) complaints.push(found);
        const kind = `${method.name} ${outcome.wasAnswered ? "answered" : status[outcome.code]}`;
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
      }),
    );
  }
  client.close();
  process.stdout.write(`seed ${seed}: ${JSON.stringify(Object.fromEntries([...counts].sort()))}\n`);
  expect(complaints, `seed ${seed}`).toEqual([]);
  // Random requests mean something only if many are understood.
  for (const { name } of InferenceService.methods) {
    expect(counts.get(`${name} answered`), `${name} answered, seed ${seed}`).toBeGreaterThan(0);
  }
  // Half of it is what the grammar threads grow to and keep: 8,000 requests take no more than these.
  expect(residentBytes(pid) - residentBefore).toBeLessThan(192 * 1024 * 1024);
}, 240_000);

test("after all that nothing runs or waits, no fault was logged, and the next is answered", async () => {
  const client = createClient(InferenceService, cluster.address);
  const bounds = { deadlineMs: replyTimeoutMs };
  const scheduler = async () => (await client.getClusterState({}, bounds)).state!.scheduler!;
  await expect.poll(scheduler).toMatchObject({ running: 0, waiting: 0 });
  expect(
    (await client.tokenize({ input: { case: "text", value: "Once" } }, bounds)).tokenIds,
  ).not.toEqual([]);
  expect(cluster.coordinator.lines.filter((line) => line.level === "error")).toEqual([]);
  client.close();
});
