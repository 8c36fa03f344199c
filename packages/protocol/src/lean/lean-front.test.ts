import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { clientMagic, toSettingsFrame } from "./frame.ts";
import { writeOpening } from "./opening.ts";
import { echo, Heard, request, TestedServer } from "./testing/lean-pair.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** What a client of node:http2 or grpc-js begins with. */
const otherOpening = Buffer.concat([clientMagic, toSettingsFrame(new Map([[4, 65_535]]))]);

test("whoever is not lean is handed on with all that it said, byte by byte or at once", async () => {
  await using server = await TestedServer.start(echo);
  const [slow, fast] = [1, 2].map(() => connect({ port: server.port, noDelay: true }));
  fast!.write(Buffer.concat([otherOpening, Buffer.from("and more")]));
  for (const byte of otherOpening) {
    slow!.write(Buffer.of(byte));
    await delay(1);
  }
  await expect.poll(() => server.others.length).toBe(2);
  const said = server.others.map((socket) => String(socket.read()));
  const opening = String(otherOpening);
  expect(said.toSorted()).toEqual([opening, `${opening}and more`]);
  for (const socket of [slow, fast]) socket!.destroy();
});

test("a lean client that begins slowly is served all the same", async () => {
  await using server = await TestedServer.start(echo);
  const socket = connect({ port: server.port, noDelay: true });
  for (const byte of writeOpening(false)) {
    socket.write(Buffer.of(byte));
    await delay(1);
  }
  const [bytes] = await once(socket, "data");
  expect(bytes.subarray(0, writeOpening(true).length)).toEqual(writeOpening(true));
  expect(server.others).toEqual([]);
  socket.destroy();
});

test("who connects and says nothing, or too little, is not waited for", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  await using server = await TestedServer.start(echo);
  const sockets = [Buffer.alloc(0), clientMagic].map((bytes) => {
    const socket = connect(server.port);
    socket.on("error", () => {}); // a reset is as good as an end
    socket.write(bytes);
    return socket;
  });
  const lean = await server.connect();
  await expect.poll(() => server.numTaken).toBe(3);
  const closed = sockets.map(
    (socket) => new Promise((resolve) => socket.resume().on("close", resolve)),
  );
  vi.advanceTimersByTime(10_000);
  await Promise.all(closed);
  const heard = new Heard();
  lean.open(request, heard).send({ head: new Uint8Array(), payload: Buffer.from("I am here") });
  await heard.untilMessages(1);
});
