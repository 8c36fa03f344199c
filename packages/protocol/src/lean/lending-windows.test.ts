// What is sent and received on a lent socket uses up the same windows as all else.
import { expect, test } from "vitest";
import { flowControlWindowBytes } from "../channel-options.ts";
import { errorCode, frameType, toNumbersFrame } from "./frame.ts";
import { type LendableCall, lendCall } from "./testing/lent-call.ts";
import { dataFrame, prefixed } from "./testing/raw-client.ts";

const none = new Uint8Array();
/** What the client lets the server send on all streams together. */
const sendWindowBytes = 65_535;

test("what is sent on a lent socket waits for it, and goes out in order when it is back", async () => {
  await using call = await lendCall();
  const { client, stream, borrower } = call;
  const sent: string[] = [];
  const texts = ["first", "second".padEnd(40_000), "third"];
  for (const text of texts) {
    stream.send({ head: none, payload: Buffer.from(text) }, () => sent.push(text));
  }
  expect(borrower.last.isAskedBack).toBe(true);
  expect(stream.unsentBytes).toBeGreaterThan(0);
  borrower.last.write(dataFrame(1, prefixed("answer")));
  await expect.poll(() => client.data).toEqual(prefixed("answer"));
  expect(sent).toEqual([]);
  borrower.last.giveBack({ sentBytes: prefixed("answer").length });
  await expect
    .poll(() => client.data)
    .toEqual(Buffer.concat(["answer", ...texts].map((text) => prefixed(text))));
  expect(sent).toEqual(texts);
  expect(stream.unsentBytes).toBe(0);
});

test("a call that is ended while its socket is lent ends after what was sent", async () => {
  await using call = await lendCall();
  const { client, stream, borrower, heard } = call;
  stream.send({ head: none, payload: Buffer.from("last") });
  stream.end();
  borrower.last.giveBack();
  await heard.closed.promise;
  await expect.poll(() => client.hasTrailers).toBe(true);
  expect(client.data).toEqual(prefixed("last"));
});

const bytesSent = 60_000;
const message = { head: none, payload: Buffer.alloc(10_000) };

test.each<[string, (call: LendableCall) => void]>([
  [
    "after it",
    ({ stream, borrower }) => {
      borrower.last.giveBack({ sentBytes: bytesSent });
      stream.send(message);
    },
  ],
  [
    "during it",
    ({ stream, borrower }) => {
      stream.send(message);
      borrower.last.giveBack({ sentBytes: bytesSent });
    },
  ],
])("no more is sent than the windows allow, by a loan and %s", async (_when, finish) => {
  await using call = await lendCall();
  const { client, borrower } = call;
  expect(borrower.last.loan.sendBytesMax).toBe(sendWindowBytes);
  borrower.last.write(dataFrame(1, Buffer.alloc(bytesSent)));
  finish(call);
  await expect.poll(() => client.data.length).toBe(sendWindowBytes);
  await client.untilHeard();
  expect(client.data.length).toBe(sendWindowBytes);
  client.socket.write(toNumbersFrame(frameType.windowUpdate, 0, 2 ** 20));
  const all = bytesSent + message.payload.length + 5;
  await expect.poll(() => client.data.length).toBe(all);
  client.socket.write(toNumbersFrame(frameType.windowUpdate, 0, 2 ** 24));
  call.stream.send({ head: none, payload: Buffer.alloc(flowControlWindowBytes) }); // of the stream
  await expect.poll(() => client.data.length).toBe(flowControlWindowBytes);
  await client.untilHeard();
  expect(client.data.length).toBe(flowControlWindowBytes);
});

test.each([0, 1])("a peer may send what is left of the window, and no more: %i", async (excess) => {
  await using call = await lendCall();
  const { client, stream, heard, borrower } = call;
  stream.pause(); // no window is given back
  const receivedBytes = 3 * 2 ** 20;
  borrower.last.giveBack({ receivedBytes });
  const left = dataFrame(1, prefixed(Buffer.alloc(flowControlWindowBytes - receivedBytes - 5)));
  client.socket.write(left);
  await heard.untilMessages(1);
  if (excess > 0) client.socket.write(dataFrame(1, Buffer.alloc(excess)));
  else await client.untilHeard();
  if (excess > 0) await client.closed;
  expect(client.goaway?.code).toBe(excess > 0 ? errorCode.flowControl : undefined);
});

test("both windows are given back exactly, as often as loans have used them up", async () => {
  await using call = await lendCall();
  const { client, stream, heard, borrower } = call;
  const grownAtFirst = client.windowGrown(0);
  let receivedBytes = 0;
  const loanBytes = 3 * 2 ** 20 + 1;
  // Enough for the connection's window of 2 GiB; the client has not really sent them.
  while (receivedBytes < 1.1 * 2 ** 30) {
    borrower.last.giveBack({ receivedBytes: loanBytes });
    receivedBytes += loanBytes;
    expect(stream.lend(borrower)).toBe(true);
  }
  borrower.last.giveBack();
  await client.untilHeard();
  const left = flowControlWindowBytes - receivedBytes + client.windowGrown(1);
  expect(left).toBeGreaterThan(flowControlWindowBytes / 2);
  expect(left).toBeLessThanOrEqual(flowControlWindowBytes);
  expect(client.windowGrown(0) - grownAtFirst).toBeGreaterThanOrEqual(2 ** 30);
  expect(client.windowGrown(0) - grownAtFirst).toBeLessThanOrEqual(receivedBytes);
  stream.pause();
  client.socket.write(dataFrame(1, prefixed(Buffer.alloc(left - 5))));
  await heard.untilMessages(1);
  client.socket.write(dataFrame(1, Buffer.of(0)));
  await client.closed;
  expect(client.goaway?.code).toBe(errorCode.flowControl);
});

test("a peer that sends a borrower more than its window is told so", async () => {
  await using call = await lendCall();
  const { client, borrower } = call;
  borrower.last.giveBack({ receivedBytes: flowControlWindowBytes + 1 });
  await client.closed;
  expect(client.goaway?.code).toBe(errorCode.flowControl);
});
