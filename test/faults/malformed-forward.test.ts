// Forward messages that no coordinator of ours would send, to a real worker.
import { setTimeout as delay } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import { activationRowBytes } from "@octet/core";
import {
  ActivationDtypeCode,
  CallFailureCode,
  channelOptions,
  connectLean,
  ExpertService,
  ForwardRequestSchema,
  type ForwardResponse,
  type LeanClient,
} from "@octet/protocol";
import { toMethodDefinition } from "@octet/protocol/grpc";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestedService } from "../cluster/service-cluster.ts";
import { type AttackedWorker, startAttackedWorker } from "./attacked-worker.ts";
import { forwardHeaders } from "./raw-http2.ts";
import { residentBytes } from "./resident-memory.ts";
import { oneOf, randomBytes, seededRandom, wholeBetween } from "./seeded-random.ts";

const hiddenSize = 64;
const rowBytes = activationRowBytes("bf16", hiddenSize);
const replyTimeoutMs = 10_000;

let attacked: AttackedWorker;
let worker: TestedService;

beforeAll(async () => {
  attacked = await startAttackedWorker();
  worker = attacked.service;
});

afterAll(async () => {
  await attacked?.[Symbol.asyncDispose]();
});

/** A call that the worker answers. */
function validCall(callId: bigint) {
  return {
    callId,
    layer: 1,
    expertId: 3,
    timeoutMs: 5_000,
    input: {
      dtype: ActivationDtypeCode.BF16,
      rows: 2,
      width: hiddenSize,
      data: new Uint8Array(2 * rowBytes).fill(0x3f),
    },
  };
}

type Call = ReturnType<typeof validCall>;
type Spoil = (call: Call, random: () => number) => unknown;

/** Each makes one thing wrong with a valid call. */
const spoilers: Record<string, Spoil> = {
  "unknown dtype": (call, random) => ({
    ...call,
    input: { ...call.input, dtype: wholeBetween(random, 4, 1e6) },
  }),
  "no dtype": (call) => ({ ...call, input: { ...call.input, dtype: 0 } }),
  "another dtype": (call, random) => ({
    ...call,
    input: {
      ...call.input,
      dtype: oneOf(random, [ActivationDtypeCode.F32, ActivationDtypeCode.Q8]),
    },
  }),
  "huge row count": (call, random) => ({
    ...call,
    input: { ...call.input, rows: oneOf(random, [0xffff_ffff, 0x8000_0000, 1025, 1 << 20]) },
  }),
  "no rows": (call) => ({ ...call, input: { ...call.input, rows: 0, data: new Uint8Array(0) } }),
  "wrong width": (call, random) => ({
    ...call,
    input: { ...call.input, width: oneOf(random, [0, 1, 63, 65, 128, 0xffff_ffff]) },
  }),
  "bytes cut short": (call, random) => ({
    ...call,
    input: { ...call.input, data: call.input.data.subarray(wholeBetween(random, 1, rowBytes)) },
  }),
  "bytes too many": (call, random) => ({
    ...call,
    input: {
      ...call.input,
      data: randomBytes(random, 2 * rowBytes + wholeBetween(random, 1, 9999)),
    },
  }),
  "no input": ({ input: _input, ...call }) => call,
  NaN: (call, random) => {
    const data = call.input.data.slice();
    const at = wholeBetween(random, 0, 2 * hiddenSize - 1) * 2;
    data[at] = 0xc0;
    data[at + 1] = oneOf(random, [0x7f, 0xff]);
    return { ...call, input: { ...call.input, data } };
  },
  infinity: (call, random) => {
    const data = call.input.data.slice();
    const at = wholeBetween(random, 0, 2 * hiddenSize - 1) * 2;
    data[at] = 0x80;
    data[at + 1] = oneOf(random, [0x7f, 0xff]);
    return { ...call, input: { ...call.input, data } };
  },
  "a layer it has not": (call, random) => ({
    ...call,
    layer: oneOf(random, [2, 3, 31, 0xffff_ffff]),
  }),
  "an expert it has not": (call, random) => ({
    ...call,
    expertId: oneOf(random, [0, 2, 4, 8, 64, 0xffff_ffff]),
  }),
  "no time": (call) => ({ ...call, timeoutMs: 0 }),
};

const { path, responseDeserialize } = toMethodDefinition(
  ExpertService,
  ExpertService.method.forward,
);

interface Outcome {
  readonly responses: readonly ForwardResponse[];
  readonly code: status;
  readonly details: string;
}

/** Somebody who sends raw bytes as messages on one stream, ends it, and waits for what comes. */
interface RawSender {
  send(messages: readonly Uint8Array[]): Promise<Outcome>;
  /** Cuts off what is under way. */
  close(): void;
}

/** Those who may call a worker: gRPC clients of all kinds, and clients of ours. */
const senders: Record<string, () => Promise<RawSender>> = {
  "grpc-js": async () => {
    const unlimited = { ...channelOptions, "grpc.max_send_message_length": -1 };
    const client = new Client(worker.address, credentials.createInsecure(), unlimited);
    const streams: { cancel(): void }[] = [];
    return {
      send: (messages) => sendOverGrpc(client, messages, (stream) => streams.push(stream)),
      close: () => {
        for (const stream of streams) stream.cancel();
        client.close();
      },
    };
  },
  lean: async () => {
    const signal = AbortSignal.timeout(replyTimeoutMs);
    const client = await connectLean(worker.address, { signal });
    const { connection } = client!;
    return {
      send: (messages) => sendOverLean(connection, messages),
      close: () => connection.destroy("done"),
    };
  },
};

function sendOverGrpc(
  client: Client,
  messages: readonly Uint8Array[],
  onOpen: (stream: { cancel(): void }) => void,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const stream = client.makeBidiStreamRequest(
      path,
      (bytes: Uint8Array) => Buffer.from(bytes),
      responseDeserialize,
      new Metadata(),
      { deadline: Date.now() + replyTimeoutMs },
    );
    onOpen(stream);
    const responses: ForwardResponse[] = [];
    stream.on("data", (response: ForwardResponse) => responses.push(response));
    stream.on("error", () => {}); // the status says it
    stream.on("status", ({ code, details }) => {
      if (code === status.DEADLINE_EXCEEDED) reject(new Error("the worker did not answer"));
      else resolve({ responses, code, details });
    });
    for (const message of messages) stream.write(message);
    stream.end();
  });
}

function sendOverLean(
  connection: LeanClient["connection"],
  messages: readonly Uint8Array[],
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the worker did not answer")), replyTimeoutMs);
    const responses: ForwardResponse[] = [];
    const stream = connection.open(forwardHeaders, {
      onMessage: (bytes) => responses.push(responseDeserialize(bytes) as ForwardResponse),
      onClose: ({ code, details }) => {
        clearTimeout(timer);
        resolve({ responses, code, details });
      },
    });
    for (const message of messages) stream.send({ head: message, payload: new Uint8Array() });
    stream.endOutput();
  });
}

function encode(call: unknown): Uint8Array {
  const message = { kind: { case: "call", value: call } } as never;
  return toBinary(ForwardRequestSchema, create(ForwardRequestSchema, message));
}

const senderKinds = Object.keys(senders);

test.each(senderKinds)(
  "over %s a valid call is answered, so that refusals mean something",
  async (kind) => {
    const sender = await senders[kind]!();
    const { responses, code } = await sender.send([encode(validCall(1n))]);
    sender.close();
    expect(code).toBe(status.OK);
    expect(responses[0]?.result.case).toBe("output");
  },
);

test.each(senderKinds)(
  "over %s 1,000 malformed messages each get a clear refusal, and nothing leaks",
  async (kind) => {
    const seed = 20_261;
    const random = seededRandom(seed);
    let sender = await senders[kind]!();
    const names = Object.keys(spoilers);
    const pid = worker.process.pid!;
    let residentBefore = 0;
    const unclear: string[] = [];

    for (let i = 0; i < 1_000; i++) {
      // The first tenth warms the process up.
      if (i === 100) residentBefore = residentBytes(pid);
      if (i % 50 === 49) {
        sender.close(); // a lean connection carries no more than a hundred calls
        sender = await senders[kind]!();
      }
      const turn = i % 10;
      if (turn === 8) {
        // Bytes that are no message at all, alone or behind a call that is one.
        const before = random() < 0.5 ? [encode(validCall(1n))] : [];
        const garbage = Uint8Array.of(0xff, ...randomBytes(random, wholeBetween(random, 1, 300)));
        const { code, details } = await sender.send([...before, garbage]);
        if (code === status.OK || details === "") unclear.push(`garbage: ${code} ${details}`);
      } else if (turn === 9) {
        // Neither a call nor a cancel.
        const { code, details } = await sender.send([new Uint8Array(0)]);
        if (code !== status.INVALID_ARGUMENT || details === "") unclear.push(`empty: ${code}`);
      } else {
        const name = names[(i + Math.floor(i / 10)) % names.length]!;
        const spoilt = encode(spoilers[name]!(validCall(7n), random));
        const { responses, code } = await sender.send([spoilt, encode(validCall(8n))]);
        const refusal = responses.find((response) => response.callId === 7n)?.result;
        const answer = responses.find((response) => response.callId === 8n)?.result;
        const isClear =
          code === status.OK &&
          refusal?.case === "failure" &&
          refusal.value.code !== CallFailureCode.UNSPECIFIED &&
          refusal.value.code !== CallFailureCode.INTERNAL &&
          refusal.value.message.length > 10 &&
          answer?.case === "output";
        if (!isClear) unclear.push(`${name}: ${code} ${JSON.stringify(refusal?.case)}`);
      }
    }
    sender.close();
    expect(unclear, `seed ${seed}`).toEqual([]);
    const grownBytes = residentBytes(pid) - residentBefore;
    expect(grownBytes).toBeLessThan(64 * 1024 * 1024);
  },
  120_000,
);

test.each(senderKinds)(
  "over %s streams cut in the middle of calls leave nothing behind",
  async (kind) => {
    const pid = worker.process.pid!;
    const calls = Array.from({ length: 20 }, (_, id) => encode(validCall(BigInt(id))));
    const cut = async () => {
      const sender = await senders[kind]!();
      const outcome = sender.send(calls).catch(() => {}); // or it hears that it was cut
      await delay(1);
      sender.close();
      await outcome;
    };
    for (let i = 0; i < 20; i++) await cut();
    const before = residentBytes(pid);
    for (let i = 0; i < 200; i++) await cut();
    expect(residentBytes(pid) - before).toBeLessThan(64 * 1024 * 1024);
    const sender = await senders[kind]!();
    const { responses } = await sender.send([encode(validCall(1n))]);
    sender.close();
    expect(responses[0]?.result.case).toBe("output");
    expect(worker.lines.filter((line) => line.level === "error")).toEqual([]);
  },
  60_000,
);

test.each(senderKinds)(
  "over %s a burst under one call id is refused but for what was free",
  async (kind) => {
    const sender = await senders[kind]!();
    await sender.send([encode(validCall(1n))]); // connected
    // Stopped, the worker finds all of them waiting when it goes on.
    process.kill(worker.process.pid!, "SIGSTOP");
    const outcome = sender.send(Array<Uint8Array>(100).fill(encode(validCall(1n))));
    await delay(200);
    process.kill(worker.process.pid!, "SIGCONT");
    const { responses, code } = await outcome;
    sender.close();
    expect(code).toBe(status.OK);
    expect(responses.length).toBe(100);
    const refused = responses.filter(({ result }) => result.case === "failure");
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(100);
    for (const { result } of refused) {
      expect(result.value).toMatchObject({ code: CallFailureCode.OVERLOADED });
    }
  },
  60_000,
);

test.each(senderKinds)(
  "over %s a message larger than the limit is refused by its size",
  async (kind) => {
    const sender = await senders[kind]!();
    const { code } = await sender.send([new Uint8Array(65 * 1024 * 1024 + 64 * 1024)]);
    sender.close();
    expect(code).toBe(status.RESOURCE_EXHAUSTED);
  },
  60_000,
);
