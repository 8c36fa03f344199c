// Bytes that break gRPC, HTTP/2 or both, on the wire of a real worker: on connections that begin as
// ours do, and on those of all others. It goes on serving both, and keeps nothing.
import { setTimeout as delay } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { ExpertService } from "@octet/protocol";
import { createClient } from "@octet/protocol/grpc";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { TestedService } from "../cluster/service-cluster.ts";
import { type AttackedWorker, startAttackedWorker } from "./attacked-worker.ts";
import { forwardHeaders, frame, frames, headerBlock, opening, RawConnection } from "./raw-http2.ts";
import { residentBytes } from "./resident-memory.ts";
import { oneOf, randomBytes, seededRandom, wholeBetween } from "./seeded-random.ts";

const mebibyte = 1024 * 1024;
const endHeaders = 4;
const endStream = 1;

let attacked: AttackedWorker;
let worker: TestedService;
let leftLines = 0;

beforeAll(async () => {
  attacked = await startAttackedWorker();
  worker = attacked.service;
});

afterAll(async () => {
  await attacked?.[Symbol.asyncDispose]();
});

afterEach(async () => {
  await expectServing();
  expect(worker.lines.slice(leftLines).filter((line) => line.level === "error")).toEqual([]);
  leftLines = worker.lines.length;
});

/** Both ways to reach the worker: a client of ours by hand, and grpc-js. */
async function expectServing(): Promise<void> {
  const plain = createClient(ExpertService, worker.address);
  expect((await plain.describe({}, { deadlineMs: 10_000 })).workerId).toBe("expert-3");
  plain.close();
  using lean = await RawConnection.open(worker.address);
  await lean.write(Buffer.concat([opening("lean"), call(1)]));
  await expect.poll(() => lean.received.toString("latin1")).toContain(":status");
}

function call(streamId: number, fields = forwardHeaders): Buffer {
  return frame(frames.headers, headerBlock(fields), streamId, endHeaders);
}

function withField(name: string, value: string) {
  return forwardHeaders.map((field) => (field[0] === name ? ([name, value] as const) : field));
}

/** A gRPC message that says it has `length` bytes. */
function messageStart(length: number, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return prefix;
}

const kinds = ["lean", "plain"] as const;

test.each(kinds)("a %s client that only pretends to send 64 MiB costs no memory", async (kind) => {
  const before = residentBytes(worker.process.pid!);
  const connections = await Promise.all(
    Array.from({ length: 20 }, () => RawConnection.open(worker.address)),
  );
  for (const connection of connections) {
    const calls = Array.from({ length: 50 }, (_, i) => 2 * i + 1).flatMap((id) => [
      call(id),
      frame(frames.data, Buffer.concat([messageStart(64 * mebibyte), Buffer.alloc(10)]), id),
    ]);
    await connection.write(Buffer.concat([opening(kind), ...calls]));
  }
  await delay(500);
  expect(residentBytes(worker.process.pid!) - before).toBeLessThan(96 * mebibyte);
  for (const connection of connections) connection[Symbol.dispose]();
});

test.each(kinds)("headers without end cost a %s client its connection", async (kind) => {
  using connection = await RawConnection.open(worker.address);
  const before = residentBytes(worker.process.pid!);
  const filler = headerBlock([["x-filler", "x".repeat(16_000)]]);
  const first = frame(frames.headers, headerBlock(forwardHeaders), 1);
  await connection.write(Buffer.concat([opening(kind), first]));
  for (let i = 0; i < 4_000 && !connection.isClosed; i++) {
    await connection.write(frame(frames.continuation, filler, 1));
    if (i % 50 === 0) await delay(1);
  }
  await expect.poll(() => connection.isClosed, { timeout: 10_000 }).toBe(true);
  expect(residentBytes(worker.process.pid!) - before).toBeLessThan(64 * mebibyte);
});

test("a plain client hears of each call that it makes wrongly, and may go on", async () => {
  using connection = await RawConnection.open(worker.address);
  const calls = [
    call(1, withField("content-type", "application/json")),
    call(3, withField(":path", "/octet.expert.v1.ExpertService/Backward")),
    call(5, withField(":path", "/")),
    call(7),
  ];
  await connection.write(Buffer.concat([opening("plain"), ...calls]));
  // Answers are in HPACK's own code: that each stream has one, and the connection lives, is enough.
  await expect.poll(() => headersOn(connection).toSorted()).toEqual([1, 3, 5, 7]);
  expect(connection.isClosed).toBe(false);
});

/** Streams that were answered with HEADERS. */
function headersOn({ received }: RawConnection): number[] {
  const found: number[] = [];
  for (let at = 0; at + 9 <= received.length; at += 9 + received.readUIntBE(at, 3)) {
    if (received[at + 3] === frames.headers) found.push(received.readUInt32BE(at + 5));
  }
  return found;
}

test.each(kinds)(
  "%s connections cut anywhere leave nothing behind",
  async (kind) => {
    const message = Buffer.concat([messageStart(30_000), Buffer.alloc(30_000, 7)]);
    const whole = Buffer.concat([
      opening(kind),
      call(1),
      frame(frames.data, message.subarray(0, 16_384), 1),
    ]);
    const random = seededRandom(77);
    const cut = async () => {
      using connection = await RawConnection.open(worker.address);
      await connection.write(whole.subarray(0, wholeBetween(random, 0, whole.length)));
    };
    for (let i = 0; i < 50; i++) await cut();
    const before = residentBytes(worker.process.pid!);
    for (let i = 0; i < 400; i++) await cut();
    expect(residentBytes(worker.process.pid!) - before).toBeLessThan(64 * mebibyte);
  },
  60_000,
);

test.each([
  ["a wrong content type", "content-type", "text/plain"],
  ["an unknown method", ":path", "/octet.expert.v1.ExpertService/Nothing"],
])("a call with %s and broken bytes right behind ends its connection alone", async (...how) => {
  const [, name, value] = how;
  using connection = await RawConnection.open(worker.address);
  const broken = frame(frames.data, Buffer.alloc(1), 0); // DATA belongs to a stream
  const wrong = call(1, withField(name, value));
  await connection.write(Buffer.concat([opening("plain"), wrong, broken]), 1_000);
  expect(connection.isClosed).toBe(true);
});

/** Fields that lead a call elsewhere: to other methods, or to none. */
const changes: [string, string][] = [
  ["te", "trailers"],
  ["content-type", "text/plain"],
  [":path", "/octet.expert.v1.ExpertService/Describe"],
  [":path", "/octet.expert.v1.ExpertService/Nothing"],
  [":path", "/grpc.health.v1.Health/Watch"],
  [":path", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"],
];

test.each(kinds)(
  "1,000 %s connections with bytes changed at random harm nobody",
  async (kind) => {
    const seed = 31_415;
    const random = seededRandom(seed);
    const spoil = async () => {
      using connection = await RawConnection.open(worker.address);
      const payload = Buffer.concat([messageStart(40), randomBytes(random, 40)]);
      const sent = Buffer.concat([
        call(1, withField(...oneOf(random, changes))),
        frame(frames.data, payload, 1, oneOf(random, [0, endStream])),
        frame(
          oneOf(random, Object.values(frames)),
          randomBytes(random, wholeBetween(random, 0, 40)),
          1,
        ),
        frame(frames.ping, randomBytes(random, 8)),
      ]);
      for (let i = wholeBetween(random, 1, 4); i > 0; i--) {
        sent[wholeBetween(random, 0, sent.length - 1)] = wholeBetween(random, 0, 255);
      }
      await connection.write(Buffer.concat([opening(kind), sent]), 3);
    };
    for (let i = 0; i < 100; i++) await spoil();
    const before = residentBytes(worker.process.pid!);
    for (let i = 0; i < 1_000; i++) await spoil();
    expect(residentBytes(worker.process.pid!) - before, `seed ${seed}`).toBeLessThan(64 * mebibyte);
  },
  120_000,
);

test("a plain client's deadline is kept, and its cancel is heard", async () => {
  const client = createClient(ExpertService, worker.address);
  const stream = client.forward();
  const ended = new Promise<{ code: status }>((resolve) => stream.on("status", resolve));
  stream.on("error", () => {});
  await new Promise((resolve) => stream.on("metadata", resolve));
  stream.cancel();
  expect((await ended).code).toBe(status.CANCELLED);
  client.close();
  // By hand: a client's own deadline would end the call at its side too.
  using connection = await RawConnection.open(worker.address);
  const headers = [...forwardHeaders, ["grpc-timeout", "50m"] as const];
  await connection.write(Buffer.concat([opening("plain"), call(1, headers)]));
  await expect.poll(() => headersOn(connection).length).toBe(2); // the acceptance, and the status
});

test.each([
  "",
  "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  "\u0016\u0003\u0001\u0002\u0000",
  "PRI * HTTP/2.0\r\n\r\nSX",
])("a connection that begins with %j is nobody's trouble", async (text) => {
  using connection = await RawConnection.open(worker.address);
  await connection.write(Buffer.from(text, "latin1"), 300);
});
