// However a connection ends while its socket is lent, it ends for everybody.
import { status } from "@grpc/grpc-js";
import { afterEach, expect, test, vi } from "vitest";
import { keepaliveTimeMs, keepaliveTimeoutMs } from "../channel-options.ts";
import { frameType, toFrame } from "./frame.ts";
import { lendCall } from "./testing/lent-call.ts";
import { callFrame } from "./testing/raw-client.ts";

afterEach(() => {
  vi.useRealTimers();
});

const how = { code: status.UNAVAILABLE, details: "going away" };

test("a call that its server ends is ended when the socket is back, and the next one is served", async () => {
  await using call = await lendCall();
  const { client, stream, heard, borrower } = call;
  stream.end(how);
  expect(await heard.closed.promise).toEqual(how);
  expect(borrower.last.isAskedBack).toBe(true);
  expect(client.hasTrailers).toBe(false);
  borrower.last.giveBack();
  await expect.poll(() => client.hasTrailers).toBe(true);
  expect(heard.loanEndsAfter).toEqual([]); // it was over
  client.socket.write(callFrame(3));
  await client.untilHeard();
  expect(client.frames.some(({ head }) => head.streamId === 3)).toBe(true);
});

test("a server that drains ends its connection after the lent call", async () => {
  await using call = await lendCall();
  const { client, stream, server, borrower } = call;
  server.front.drain();
  stream.end(how);
  borrower.last.giveBack();
  await client.closed;
  expect(client.hasTrailers).toBe(true);
  expect(client.goaway?.why).toBe("the server is going away");
});

test("last words that the borrower does not let out are given up", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  await using call = await lendCall();
  const { client, stream, server, borrower } = call;
  server.front.drain();
  stream.end(how);
  vi.advanceTimersByTime(keepaliveTimeoutMs);
  await client.closed;
  expect(borrower.last.isAbandoned).toBe(true);
});

test("a connection that is cut off here is abandoned by the borrower", async () => {
  await using call = await lendCall();
  const { client, heard, server, borrower } = call;
  server.front.destroy();
  expect((await heard.closed.promise).code).toBe(status.UNAVAILABLE);
  await client.closed;
  expect(borrower.last.isAbandoned).toBe(true);
  borrower.last.giveBack({ unread: callFrame(3) }); // too late, and no harm
  expect(heard.loanEndsAfter).toEqual([]);
});

test.each(["end", "resetAndDestroy"] as const)(
  "a client's end (%s) that the borrower sees ends the connection",
  async (end) => {
    await using call = await lendCall();
    const { client, heard, stream, borrower } = call;
    client.socket[end]();
    expect(await borrower.last.read(1)).toEqual(Buffer.of());
    borrower.last.giveBack();
    expect((await heard.closed.promise).code).toBe(status.UNAVAILABLE);
    await client.closed;
    expect(stream.lend(borrower)).toBe(false);
    expect(borrower.loans.length).toBe(1);
  },
);

test("a connection on which an answer could not be sent is over", async () => {
  await using call = await lendCall();
  const { client, heard, borrower } = call;
  borrower.last.giveBack({ isBroken: true });
  expect((await heard.closed.promise).code).toBe(status.UNAVAILABLE);
  await client.closed;
  expect(heard.loanEndsAfter).toEqual([]);
});

test("a client that the borrower hears from is not given up", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  await using call = await lendCall();
  const { client, borrower } = call;
  for (let ms = 0; ms < 10 * keepaliveTimeMs; ms += keepaliveTimeoutMs) {
    borrower.last.isActive = true;
    vi.advanceTimersByTime(keepaliveTimeoutMs);
  }
  expect(borrower.last.isAskedBack).toBe(false);
  borrower.last.giveBack();
  await client.untilHeard();
  expect(client.numPings).toBe(0);
});

test("a silent client is asked on a socket that comes back, and given up in time", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  await using call = await lendCall();
  const { client, heard, borrower } = call;
  vi.advanceTimersByTime(keepaliveTimeMs);
  expect(borrower.last.isAskedBack).toBe(true);
  borrower.last.giveBack();
  await expect.poll(() => client.numPings).toBe(1);
  vi.advanceTimersByTime(keepaliveTimeoutMs);
  expect((await heard.closed.promise).details).toContain("silent for 15000 ms");
});

test("a silent client that answers is kept", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  await using call = await lendCall();
  const { client, stream, borrower } = call;
  vi.advanceTimersByTime(keepaliveTimeMs);
  borrower.last.giveBack();
  await expect.poll(() => client.numPings).toBe(1);
  client.socket.write(toFrame(frameType.ping, { flags: 1, payload: Buffer.alloc(8) }));
  await client.untilHeard();
  vi.advanceTimersByTime(keepaliveTimeoutMs);
  await client.untilHeard();
  expect(stream.lend(borrower)).toBe(true);
});

test("a silent client whose socket does not come back is given up", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  await using call = await lendCall();
  const { client, heard, borrower } = call;
  vi.advanceTimersByTime(keepaliveTimeMs + keepaliveTimeoutMs);
  expect((await heard.closed.promise).details).toContain("silent");
  await client.closed;
  expect(borrower.last.isAbandoned).toBe(true);
});
