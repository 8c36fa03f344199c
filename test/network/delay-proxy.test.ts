import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { afterEach, expect, test } from "vitest";
import { openDelayProxy } from "./delay-proxy.ts";
import { startDelayedLinks } from "./delayed-links.ts";

let server: Server;
afterEach(() => server.close());

/** Sends back what it gets, and its own end when it has got the other's. */
async function startEcho(): Promise<string> {
  server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function dial(address: string) {
  return connect({ port: Number(address.split(":")[1]), host: "127.0.0.1", allowHalfOpen: true });
}

test("all bytes arrive, in order, and then the end, none before its time", async () => {
  const proxy = await openDelayProxy(await startEcho(), 20);
  const socket = dial(proxy.address);
  const chunks = Array.from({ length: 50 }, (_, i) => Buffer.alloc(100_000 + i, i));
  const startMs = performance.now();
  for (const chunk of chunks) socket.write(chunk);
  socket.end();
  const got: Buffer[] = [];
  let firstMs: number | undefined;
  for await (const bytes of socket) {
    firstMs ??= performance.now();
    got.push(bytes);
  }
  expect(Buffer.concat(got).equals(Buffer.concat(chunks))).toBe(true);
  // There and back. Never early; how late depends on the machine.
  expect(firstMs! - startMs).toBeGreaterThanOrEqual(2 * 20);
  proxy.close();
});

test("more than may be on the way waits, and arrives", async () => {
  const proxy = await openDelayProxy(await startEcho(), 5);
  const socket = dial(proxy.address);
  const sent = Buffer.alloc(40 * 1024 * 1024, 7);
  socket.end(sent);
  let numBytes = 0;
  for await (const bytes of socket) numBytes += bytes.length;
  expect(numBytes).toBe(sent.length);
  proxy.close();
});

test("a connection that is cut is cut on the other side, and nobody there is an end", async () => {
  const proxy = await openDelayProxy(await startEcho(), 1);
  const socket = dial(proxy.address);
  const [accepted] = await once(server, "connection");
  accepted.resetAndDestroy();
  await expect(once(socket.resume(), "close")).rejects.toThrow("ECONNRESET");
  proxy.close();

  const nowhere = await openDelayProxy("127.0.0.1:1", 1);
  await expect(once(dial(nowhere.address).resume(), "close")).rejects.toThrow("ECONNRESET");
  nowhere.close();
});

test("links in a process of their own lead to their targets, and end with us", async () => {
  const target = await startEcho();
  await using links = await startDelayedLinks([target, target], 3);
  expect(new Set(links.addresses).size).toBe(2);
  for (const address of links.addresses) {
    const socket = dial(address);
    socket.write("to and fro");
    const [bytes] = await once(socket, "data");
    expect(String(bytes)).toBe("to and fro");
    socket.destroy();
  }
});
