import { randomBytes } from "node:crypto";
import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { flowControlWindowBytes } from "../channel-options.ts";
import type { LeanStream } from "./lean-stream.ts";
import { echo, Heard, path, request, TestedServer } from "./testing/lean-pair.ts";

const none = new Uint8Array();

/** A method whose calls a test takes into its own hands. */
function takeCalls() {
  const calls: { stream: LeanStream; heard: Heard }[] = [];
  const method = (stream: LeanStream) => {
    const heard = new Heard();
    calls.push({ stream, heard });
    return heard;
  };
  return { calls, method };
}

test("messages of every size come back in order, several streams at once", async () => {
  await using server = await TestedServer.start(echo);
  const connection = await server.connect();
  const sizes = [0, 1, 100, 4095, 8192, 32_763, 32_764, 200_000, 1, 3 * 2 ** 20, 9 * 2 ** 20, 7];
  const sent = sizes.map((size) => randomBytes(size));
  await Promise.all(
    [1, 2, 3].map(async () => {
      const heard = new Heard();
      const stream = connection.open(request, heard);
      for (const payload of sent) stream.send({ head: none, payload });
      await heard.untilMessages(sent.length);
      stream.endOutput();
      expect(await heard.closed.promise).toEqual({ code: status.OK, details: "" });
      for (const [i, message] of heard.messages.entries())
        expect(message.equals(sent[i]!)).toBe(true);
    }),
  );
  connection.destroy("done");
});

test("a client hears that its call is taken up before anything is said", async () => {
  const { calls, method } = takeCalls();
  await using server = await TestedServer.start(method);
  const connection = await server.connect();
  const heard = new Heard();
  connection.open(request, heard);
  await expect.poll(() => calls.length).toBe(1);
  expect(heard.isAccepted).toBe(false);
  calls[0]!.stream.accept();
  await expect.poll(() => heard.isAccepted).toBe(true);
  connection.destroy("done");
});

test("a server that does not read gets no more than the window, until it reads again", async () => {
  const { calls, method } = takeCalls();
  await using server = await TestedServer.start(method);
  const connection = await server.connect();
  const heard = new Heard();
  const stream = connection.open(request, heard);
  await expect.poll(() => calls.length).toBe(1);
  const [{ stream: served, heard: inbox }] = calls as [(typeof calls)[0]];
  served.pause();
  const payload = new Uint8Array(2 ** 20);
  let hasRoom = true;
  for (let i = 0; i < 40; i++) hasRoom = stream.send({ head: none, payload });
  expect(hasRoom).toBe(false);
  await inbox.untilMessages(flowControlWindowBytes / 2 ** 20 - 1);
  await new Promise((resolve) => setTimeout(resolve, 100)); // enough for all forty
  expect(inbox.messages.length).toBe(flowControlWindowBytes / 2 ** 20 - 1);
  expect(stream.unsentBytes).toBeGreaterThan(30 * 2 ** 20);
  served.resume();
  await inbox.untilMessages(40);
  await expect.poll(() => heard.numDrains).toBe(1);
  expect(stream.unsentBytes).toBe(0);
  connection.destroy("done");
});

test("a stream that is paused holds up no other", async () => {
  const { calls, method } = takeCalls();
  await using server = await TestedServer.start(method);
  const connection = await server.connect();
  const streams = [1, 2].map(() => connection.open(request, new Heard()));
  await expect.poll(() => calls.length).toBe(2);
  calls[0]!.stream.pause();
  const payload = new Uint8Array(2 ** 20);
  for (let i = 0; i < 20; i++) for (const stream of streams) stream.send({ head: none, payload });
  await calls[1]!.heard.untilMessages(20);
  expect(calls[0]!.heard.messages.length).toBeLessThan(20);
  connection.destroy("done");
});

test("how a call ends is told in words, whatever they are", async () => {
  const how = { code: status.RESOURCE_EXHAUSTED, details: "100 % “voll”\nüber 1\u{1F600}" };
  await using server = await TestedServer.start((stream) => {
    stream.send({ head: none, payload: Buffer.from("before") });
    stream.end(how);
    stream.send({ head: none, payload: Buffer.from("after") });
    return new Heard();
  });
  const connection = await server.connect();
  const heard = new Heard();
  const stream = connection.open(request, heard);
  stream.send({ head: none, payload: Buffer.from("nobody reads this") });
  expect(await heard.closed.promise).toEqual(how);
  expect(heard.messages.map(String)).toEqual(["before"]);
  const again = new Heard();
  connection.open(request, again);
  expect(await again.closed.promise).toEqual(how); // and the connection lives
  connection.destroy("done");
});

test("an end waits for what the window holds back", async () => {
  await using server = await TestedServer.start((stream) => {
    stream.accept();
    for (let i = 0; i < 12; i++) stream.send({ head: none, payload: new Uint8Array(2 ** 20) });
    stream.end();
    return new Heard();
  });
  const connection = await server.connect();
  const heard = new Heard();
  connection.open(request, heard);
  expect(await heard.closed.promise).toEqual({ code: status.OK, details: "" });
  expect(heard.messages.length).toBe(12);
  connection.destroy("done");
});

test.each<[string, [string, string][]]>([
  ["another path", request.map(([k, v]) => [k, k === ":path" ? `${path}s` : v])],
  ["another content type", request.map(([k, v]) => [k, k === "content-type" ? "text/html" : v])],
  ["no headers", []],
])("a call with %s is unimplemented, and the next is answered", async (_what, headers) => {
  await using server = await TestedServer.start(echo);
  const connection = await server.connect();
  const refused = new Heard();
  connection.open(headers, refused);
  expect(await refused.closed.promise).toMatchObject({ code: status.UNIMPLEMENTED });
  const heard = new Heard();
  connection.open(request, heard).send({ head: none, payload: Buffer.from("hello") });
  await heard.untilMessages(1);
  connection.destroy("done");
});

test("a call given up by its client is cancelled at the server, and no other", async () => {
  const { calls, method } = takeCalls();
  await using server = await TestedServer.start(method);
  const connection = await server.connect();
  const [cancelled, kept] = [new Heard(), new Heard()];
  const stream = connection.open(request, cancelled);
  connection.open(request, kept);
  await expect.poll(() => calls.length).toBe(2);
  stream.cancel();
  expect((await cancelled.closed.promise).code).toBe(status.CANCELLED);
  expect((await calls[0]!.heard.closed.promise).code).toBe(status.CANCELLED);
  calls[0]!.stream.send({ head: none, payload: new Uint8Array(5) }); // too late, and no harm
  calls[1]!.stream.send({ head: none, payload: new Uint8Array(5) });
  await kept.untilMessages(1);
  expect(cancelled.messages).toEqual([]);
  connection.destroy("done");
});

test("when either end goes, the other hears of every call", async () => {
  const { calls, method } = takeCalls();
  const server = await TestedServer.start(method);
  const [first, second] = [await server.connect(), await server.connect()];
  const heard = new Heard();
  first.open(request, new Heard());
  await expect.poll(() => calls.length).toBe(1);
  second.open(request, heard);
  await expect.poll(() => calls.length).toBe(2);
  first.destroy("done");
  expect((await calls[0]!.heard.closed.promise).code).toBe(status.UNAVAILABLE);
  await server[Symbol.asyncDispose]();
  expect((await heard.closed.promise).code).toBe(status.UNAVAILABLE);
  const late = new Heard();
  second.open(request, late);
  expect((await late.closed.promise).code).toBe(status.UNAVAILABLE);
});

test("a server that drains ends a connection after its last call, and takes no new ones", async () => {
  const { calls, method } = takeCalls();
  await using server = await TestedServer.start(method);
  const connection = await server.connect();
  const [running, refused] = [new Heard(), new Heard()];
  connection.open(request, running);
  await expect.poll(() => calls.length).toBe(1);
  server.front.drain();
  connection.open(request, refused);
  expect((await refused.closed.promise).code).toBe(status.UNAVAILABLE);
  calls[0]!.stream.send({ head: none, payload: Buffer.from("last") });
  calls[0]!.stream.end();
  expect(await running.closed.promise).toEqual({ code: status.OK, details: "" });
  expect(running.messages.map(String)).toEqual(["last"]);
  const late = new Heard();
  await expect
    .poll(async () => {
      connection.open(request, late);
      return (await late.closed.promise).code;
    })
    .toBe(status.UNAVAILABLE);
  expect(calls.length).toBe(1);
});
