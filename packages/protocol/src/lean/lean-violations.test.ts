// Peers that begin as lean ends do and then break the rules: each is told why, and only its own
// connection ends.
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { status } from "@grpc/grpc-js";
import { afterEach, expect, test, vi } from "vitest";
import { flowControlWindowBytes, keepaliveTimeMs, keepaliveTimeoutMs } from "../channel-options.ts";
import {
  errorCode,
  frameFlag,
  frameType,
  toFrame,
  toNumbersFrame,
  toSettingsFrame,
} from "./frame.ts";
import { connectLean } from "./lean-client.ts";
import type { LeanStream } from "./lean-stream.ts";
import { leanStreamsMax, writeOpening } from "./opening.ts";
import { echo, Heard, request, TestedServer } from "./testing/lean-pair.ts";
import { callFrame, dataFrame, RawClient } from "./testing/raw-client.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).reverse()) cleanUp();
});

const { protocol, flowControl, frameSize, compression, enhanceYourCalm } = errorCode;
/** Like {@link echo}, and does not end when its client does. */
const echoForEver = (stream: LeanStream) => ({ ...echo(stream), onInputEnd: () => {} });
/** HEADERS with the priority that browsers once sent: allowed in HTTP/2, and not among us. */
const withPriority = frameFlag.endHeaders | 0x20;

const violations: Record<string, [frames: Buffer[], code: number]> = {
  "DATA on a stream that was never opened": [[dataFrame(1, Buffer.of(1))], protocol],
  "DATA on stream 0": [[dataFrame(0, Buffer.of(1))], protocol],
  "DATA with padding": [[callFrame(1), dataFrame(1, Buffer.of(1), 0x8)], protocol],
  "DATA after the end": [
    [callFrame(1), dataFrame(1, Buffer.alloc(0), frameFlag.endStream), dataFrame(1, Buffer.of(1))],
    protocol,
  ],
  "more DATA than the window": [
    [callFrame(1), dataFrame(1, Buffer.alloc(flowControlWindowBytes + 1)).subarray(0, 9)],
    flowControl,
  ],
  "HEADERS that go on in another frame": [[callFrame(1, 0)], protocol],
  "HEADERS with priority": [[callFrame(1, withPriority)], protocol],
  "HEADERS on an even stream": [[callFrame(2)], protocol],
  "HEADERS on a stream below the last": [[callFrame(3), callFrame(1)], protocol],
  "HEADERS that are no header block": [
    [toFrame(frameType.headers, { streamId: 1, flags: 4, payload: Buffer.of(0x82) })],
    compression,
  ],
  "HEADERS of 17 KiB": [
    [toFrame(frameType.headers, { streamId: 1, flags: 4, payload: Buffer.alloc(17 * 1024) })],
    frameSize,
  ],
  "more calls than a coordinator makes": [
    Array.from({ length: leanStreamsMax + 1 }, (_, i) => callFrame(2 * i + 1)),
    enhanceYourCalm,
  ],
  "calls opened and reset at once": [
    Array.from({ length: leanStreamsMax + 1 }, (_, i) => [
      callFrame(2 * i + 1),
      toNumbersFrame(frameType.rstStream, 2 * i + 1, errorCode.cancel),
    ]).flat(),
    enhanceYourCalm,
  ],
  "SETTINGS again": [[toSettingsFrame(new Map([[4, 1]]))], protocol],
  PUSH_PROMISE: [[toFrame(5, { streamId: 1, payload: Buffer.alloc(8) })], protocol],
  "a frame of an unknown type": [[toFrame(0xfe, {})], protocol],
  "a PING of 7 bytes": [[toFrame(frameType.ping, { payload: Buffer.alloc(7) })], frameSize],
  "RST_STREAM of 3 bytes": [
    [callFrame(1), toFrame(frameType.rstStream, { streamId: 1, payload: Buffer.alloc(3) })],
    frameSize,
  ],
  "RST_STREAM on a stream that was never opened": [
    [toNumbersFrame(frameType.rstStream, 5, 8)],
    protocol,
  ],
  "a window that grows by nothing": [[toNumbersFrame(frameType.windowUpdate, 0, 0)], flowControl],
  "a stream's window that grows by nothing": [
    [callFrame(1), toNumbersFrame(frameType.windowUpdate, 1, 0)],
    flowControl,
  ],
  "a window beyond 2 GiB": [
    [1, 2].map(() => toNumbersFrame(frameType.windowUpdate, 0, 2 ** 31 - 1)),
    flowControl,
  ],
};

test.each(Object.entries(violations))(
  "%s ends the connection with a reason, and no other",
  async (_what, [frames, code]) => {
    await using server = await TestedServer.start(echoForEver);
    const good = await server.connect();
    using bad = new RawClient(server.port);
    bad.socket.write(Buffer.concat(frames));
    await bad.closed;
    expect(bad.goaway).toMatchObject({ code, why: expect.stringContaining("broke the protocol") });
    const heard = new Heard();
    good.open(request, heard).send({ head: new Uint8Array(), payload: Buffer.from("still here") });
    await heard.untilMessages(1);
    good.destroy("done");
  },
);

test("answers to PINGs that nobody reads do not pile up", async () => {
  await using server = await TestedServer.start((stream) => {
    stream.accept();
    stream.send({ head: new Uint8Array(), payload: new Uint8Array(8 * 2 ** 20) });
    return new Heard();
  });
  using bad = new RawClient(server.port);
  bad.socket.pause();
  bad.socket.write(Buffer.concat([callFrame(1), toNumbersFrame(8, 0, 2 ** 30)]));
  const pings = Buffer.concat(
    Array(1_000).fill(toFrame(frameType.ping, { payload: Buffer.alloc(8) })),
  );
  while (!bad.socket.closed && bad.socket.writableLength < 4 * 2 ** 20) {
    bad.socket.write(pings);
    await new Promise((resolve) => setImmediate(resolve));
    if (bad.socket.writableLength === 0) continue;
    bad.socket.resume(); // the server reads no more: see what it had to say
    await bad.closed;
  }
  expect(bad.goaway?.code).toBe(enhanceYourCalm);
});

test("PINGs are answered with what they hold", async () => {
  await using server = await TestedServer.start(echo);
  using client = new RawClient(server.port);
  const payload = Buffer.from("12345678");
  client.socket.write(toFrame(frameType.ping, { payload }));
  await expect
    .poll(() => client.frames.at(-1))
    .toMatchObject({
      head: { type: frameType.ping, flags: frameFlag.ack },
      payload,
    });
});

test.each<[string, Buffer, status]>([
  ["ends within a message", dataFrame(1, Buffer.of(0, 0, 0, 0, 9, 1), 1), status.INTERNAL],
  ["ends within a prefix", dataFrame(1, Buffer.of(0, 0), 1), status.INTERNAL],
  ["holds a compressed message", dataFrame(1, Buffer.of(1, 0, 0, 0, 0)), status.UNIMPLEMENTED],
  [
    "holds a message of 4 GiB",
    dataFrame(1, Buffer.of(0, 255, 255, 255, 255)),
    status.RESOURCE_EXHAUSTED,
  ],
])("a stream that %s gets a status, and the connection goes on", async (_what, frame, code) => {
  await using server = await TestedServer.start(echo);
  using client = new RawClient(server.port);
  client.socket.write(
    Buffer.concat([callFrame(1), frame, callFrame(3), dataFrame(3, Buffer.of(0, 0, 0, 0, 0))]),
  );
  const trailers = () =>
    client.frames.find(({ head }) => head.type === frameType.headers && head.flags & 1);
  await expect.poll(trailers).toBeDefined();
  expect(trailers()!.head.streamId).toBe(1);
  expect(trailers()!.payload.toString("latin1")).toContain(
    `grpc-status${String.fromCharCode(String(code).length)}${code}`,
  );
  const answer = () => client.frames.some(({ head }) => head.type === 0 && head.streamId === 3);
  await expect.poll(answer).toBe(true);
});

test("a server that breaks the rules costs its client that connection, and says why", async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.write(Buffer.concat([writeOpening(true), toFrame(5, { streamId: 1 })]));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUps.push(() => server.close());
  const { port } = server.address() as { port: number };
  const client = await connectLean(`127.0.0.1:${port}`, { signal: new AbortController().signal });
  const heard = new Heard();
  client!.connection.open(request, heard);
  expect(await heard.closed.promise).toMatchObject({ code: status.UNAVAILABLE });
});

test("a peer that is silent is asked, and given up if it does not answer", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  cleanUps.push(() => vi.useRealTimers());
  await using server = await TestedServer.start(echo);
  const living = await server.connect();
  const heard = new Heard();
  const stream = living.open(request, heard);
  using dead = new RawClient(server.port);
  dead.socket.write(callFrame(1));
  await expect.poll(() => dead.frames.length).toBeGreaterThan(2);
  vi.advanceTimersByTime(keepaliveTimeMs);
  await expect.poll(() => dead.numPings).toBe(1);
  stream.send({ head: new Uint8Array(), payload: Buffer.from("I live") });
  await heard.untilMessages(1);
  vi.advanceTimersByTime(keepaliveTimeoutMs);
  await dead.closed;
  stream.send({ head: new Uint8Array(), payload: Buffer.from("I still do") });
  await heard.untilMessages(2);
  living.destroy("done");
});
