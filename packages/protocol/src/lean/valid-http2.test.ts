// nghttp2 as the judge: what lean ends write is HTTP/2 and gRPC to somebody who knows nothing of us.
import { once } from "node:events";
import {
  type ClientHttp2Stream,
  connect as connectHttp2,
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { type AddressInfo, connect, createServer } from "node:net";
import { Duplex } from "node:stream";
import { status } from "@grpc/grpc-js";
import { afterEach, expect, test } from "vitest";
import { setting } from "./frame.ts";
import { connectLean } from "./lean-client.ts";
import { Heard, path, request, TestedServer } from "./testing/lean-pair.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).reverse()) cleanUp();
});

const payload = Buffer.alloc(50_000, 5);
const message = Buffer.concat([Buffer.of(0, 0, 0, 0xc3, 0x50), payload]);

/** A gRPC server on node:http2 that says what it was asked, and answers with `payload`. */
async function startHttp2Server() {
  const asked: { headers: IncomingHttpHeaders; body: Buffer }[] = [];
  const server = createHttp2Server({ settings: { customSettings: { [setting.lean]: 1 } } });
  server.on("stream", async (stream: ServerHttp2Stream, headers) => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    asked.push({ headers, body: Buffer.concat(chunks) });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUps.push(() => server.close());
  return { asked, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test("a lean client's call is a gRPC call to nghttp2", async () => {
  const { asked, address } = await startHttp2Server();
  const client = await connectLean(address, { signal: new AbortController().signal });
  const stream = client!.connection.open(request, new Heard());
  // More than its window of 64 KiB, which it gives back in between.
  for (const size of [payload.length, payload.length, 3, 0]) {
    stream.send({ head: payload.subarray(0, size % 7), payload: payload.subarray(size % 7, size) });
  }
  stream.endOutput();
  await expect.poll(() => asked.length).toBe(1);
  expect(asked[0]!.headers).toMatchObject({
    ":method": "POST",
    ":path": path,
    te: "trailers",
    "content-type": "application/grpc",
  });
  const short = [Buffer.of(0, 0, 0, 0, 3), payload.subarray(0, 3), Buffer.alloc(5)];
  const expected = [message, message, ...short];
  expect(asked[0]!.body.equals(Buffer.concat(expected))).toBe(true);
  client!.connection.destroy("done");
});

/** Everything that a lean server says to a lean client who makes one call and stays for its end. */
async function recordServer(server: TestedServer): Promise<Buffer> {
  const said: Buffer[] = [];
  const tap = createServer((near) => {
    const far = connect(server.port, "127.0.0.1");
    near.pipe(far).on("data", (bytes: Buffer) => {
      said.push(bytes);
      near.write(bytes);
    });
    for (const socket of [near, far]) cleanUps.push(() => socket.destroy());
  });
  tap.listen(0, "127.0.0.1");
  await once(tap, "listening");
  cleanUps.push(() => tap.close());
  const address = `127.0.0.1:${(tap.address() as AddressInfo).port}`;
  const client = await connectLean(address, { signal: new AbortController().signal });
  const heard = new Heard();
  client!.connection.open(request, heard);
  await heard.closed.promise;
  client!.connection.destroy("done");
  return Buffer.concat(said);
}

/** A client of node:http2 with one call under way, to which `said` is the server. */
function replayTo(said: Buffer): ClientHttp2Stream {
  const network = new Duplex({
    read() {},
    write: (_chunk, _encoding, done) => done(),
  });
  const settings = { initialWindowSize: 2 ** 20, maxFrameSize: 2 ** 20 }; // as if they were ours
  const session = connectHttp2("http://test", { createConnection: () => network, settings });
  session.on("error", () => {}); // its stream says the same
  cleanUps.push(() => session.destroy());
  const call = session.request({ ":method": "POST", ":path": path });
  session.once("connect", () => setImmediate(() => network.push(said)));
  return call;
}

test("a lean server's answer is a gRPC answer to nghttp2", async () => {
  await using server = await TestedServer.start((stream) => {
    stream.accept();
    stream.send({ head: payload.subarray(0, 40), payload: payload.subarray(40) });
    stream.end({ code: status.NOT_FOUND, details: "café" });
    return new Heard();
  });
  const call = replayTo(await recordServer(server));
  const chunks: Buffer[] = [];
  call.on("data", (chunk: Buffer) => chunks.push(chunk));
  const [[headers], [trailers]] = await Promise.all([
    once(call, "response"),
    once(call, "trailers"),
    once(call, "end"),
  ]);
  expect(headers).toMatchObject({ ":status": 200, "content-type": "application/grpc" });
  expect(trailers).toMatchObject({ "grpc-status": "5", "grpc-message": "caf%C3%A9" });
  expect(Buffer.concat(chunks).equals(message)).toBe(true);
});

test("a lean server's refusal is a gRPC answer without a message to nghttp2", async () => {
  await using server = await TestedServer.start((stream) => {
    stream.end({ code: status.UNAVAILABLE, details: "away" });
    return new Heard();
  });
  const call = replayTo(await recordServer(server));
  call.resume();
  const [[headers, flags]] = await Promise.all([once(call, "response"), once(call, "end")]);
  const endStream = 1;
  expect(headers).toMatchObject({ ":status": 200, "grpc-status": "14", "grpc-message": "away" });
  expect(flags & endStream).toBe(endStream);
});
