// When a connection's socket is lent, to whom what comes then belongs, and how JavaScript goes on.
import { setTimeout as delay } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { frameFlag, frameType, toNumbersFrame } from "./frame.ts";
import { type LendableCall, lendCall, openCall } from "./testing/lent-call.ts";
import { callFrame, dataFrame, prefixed } from "./testing/raw-client.ts";

const none = new Uint8Array();
const hello = dataFrame(1, prefixed("hello"));
const windowBytes = 65_535;

test("a socket is lent with its stream and the room of its windows", async () => {
  await using call = await openCall();
  const { stream, heard, client, borrower } = call;
  client.socket.write(hello);
  await heard.untilMessages(1);
  stream.send({ head: none, payload: Buffer.from("hi") });
  expect(stream.lend(borrower)).toBe(true);
  const { loan } = borrower.last;
  expect(loan).toMatchObject({
    streamId: 1,
    frameBytesMax: 2 ** 20,
    receiveBytesMax: (2 ** 23 - prefixed("hello").length) / 2,
    sendBytesMax: windowBytes - prefixed("hi").length,
  });
  borrower.last.write(dataFrame(1, prefixed(", you")));
  await expect.poll(() => client.data.toString()).toMatch(/hi.*, you/s);
});

/** What is under way, and how it ends; both resolve when the server has heard of it. */
type State = readonly [
  begin: (call: LendableCall) => unknown,
  end: ((call: LendableCall) => unknown) | undefined,
];

/** Writes, and resolves when the server has read the frames before the last. */
async function writeBehind(call: LendableCall, bytes: Uint8Array): Promise<void> {
  call.client.socket.cork();
  const heard = call.client.untilHeard();
  call.client.socket.write(bytes);
  call.client.socket.uncork();
  await heard;
}

/** Sends so much that some of it must wait. */
function send(bytes: number) {
  return ({ stream }: LendableCall) => stream.send({ head: none, payload: Buffer.alloc(bytes) });
}

const states: Record<string, State> = {
  "half of a frame's head has come": [
    (call) => writeBehind(call, hello.subarray(0, 4)),
    (call) => writeRest(call, hello.subarray(4)),
  ],
  "a frame's head has come": [
    (call) => writeBehind(call, hello.subarray(0, 9)),
    (call) => writeRest(call, hello.subarray(9)),
  ],
  "half of a frame's payload has come": [
    (call) => writeBehind(call, hello.subarray(0, 16)),
    (call) => writeRest(call, hello.subarray(16)),
  ],
  "half of a message has come, in a whole frame": [
    (call) => untilHeard(call, dataFrame(1, prefixed("hello").subarray(0, 7))),
    (call) => writeRest(call, dataFrame(1, prefixed("hello").subarray(7))),
  ],
  "half of a message's prefix has come": [
    (call) => untilHeard(call, dataFrame(1, prefixed("hello").subarray(0, 3))),
    (call) => writeRest(call, dataFrame(1, prefixed("hello").subarray(3))),
  ],
  "answers wait for the window": [
    send(windowBytes),
    (call) => untilHeard(call, toNumbersFrame(frameType.windowUpdate, 0, 100)),
  ],
  "answers wait for the network": [
    async (call) => {
      await untilHeard(call, toNumbersFrame(frameType.windowUpdate, 0, 2 ** 24));
      call.client.socket.pause();
      send(2 ** 23 - 5)(call);
    },
    async (call) => {
      call.client.socket.resume();
      await expect.poll(() => call.stream.unsentBytes).toBe(0);
    },
  ],
  "another call is open": [
    (call) => untilHeard(call, callFrame(3)),
    (call) => untilHeard(call, toNumbersFrame(frameType.rstStream, 3, 8)),
  ],
  "the stream is paused": [({ stream }) => stream.pause(), ({ stream }) => stream.resume()],
  "it is lent": [
    ({ stream, borrower }) => stream.lend(borrower),
    ({ borrower }) => borrower.last.giveBack(),
  ],
  "the borrower takes none": [
    ({ borrower }) => {
      borrower.isOpen = false;
    },
    ({ borrower }) => {
      borrower.isOpen = true;
    },
  ],
  "the server drains": [({ server }) => server.front.drain(), undefined],
  "the client sends no more": [
    (call) => untilHeard(call, dataFrame(1, none, frameFlag.endStream)),
    undefined,
  ],
  "the call is ended": [({ stream }) => stream.end(), undefined],
  "the call is cancelled": [
    (call) => untilHeard(call, toNumbersFrame(frameType.rstStream, 1, 8)),
    undefined,
  ],
  "the client is gone": [
    async ({ client, heard }) => {
      client.socket.destroy();
      await heard.closed.promise;
    },
    undefined,
  ],
};

async function untilHeard({ client }: LendableCall, bytes: Uint8Array): Promise<void> {
  client.socket.write(bytes);
  await client.untilHeard();
}

async function writeRest({ client, heard }: LendableCall, bytes: Uint8Array): Promise<void> {
  client.socket.write(bytes);
  await heard.untilMessages(1);
}

test.each(Object.entries(states))("nothing is lent while %s", async (_what, [begin, end]) => {
  await using call = await openCall();
  const { stream, borrower } = call;
  await begin(call);
  const { length } = borrower.loans;
  expect(stream.lend(borrower)).toBe(false);
  expect(borrower.loans.length).toBe(length);
  await end?.(call);
  expect(stream.lend(borrower)).toBe(end !== undefined);
});

test("what comes while a socket is lent is for the borrower alone", async () => {
  await using call = await lendCall();
  const { client, heard, borrower } = call;
  client.socket.write(hello);
  await delay(20); // were anybody else to read it
  expect(await borrower.last.read(hello.length)).toEqual(hello);
  borrower.last.write(dataFrame(1, prefixed("for you")));
  await expect.poll(() => client.data).toEqual(prefixed("for you"));
  borrower.last.giveBack({ receivedBytes: hello.length - 9, sentBytes: 12 });
  await client.untilHeard();
  expect(heard.messages).toEqual([]);
});

test("the listener hears first what was left unread, then that it is back, then the rest", async () => {
  await using call = await lendCall();
  const { client, heard, borrower } = call;
  const [first, second] = ["one", "two"].map((text) => dataFrame(1, prefixed(text)));
  client.socket.write(Buffer.concat([first!, second!.subarray(0, 11)]));
  const unread = await borrower.last.read(first!.length + 11);
  expect(heard.loanEndsAfter).toEqual([]);
  borrower.last.giveBack({ unread });
  expect(heard.messages.map(String)).toEqual(["one"]);
  expect(heard.loanEndsAfter).toEqual([1]);
  client.socket.write(second!.subarray(11));
  await heard.untilMessages(2);
  expect(heard.messages.map(String)).toEqual(["one", "two"]);
});

test("a socket is asked for while it is lent, and at any other time that does nothing", async () => {
  await using call = await lendCall();
  const { stream, borrower } = call;
  expect(borrower.last.isAskedBack).toBe(false);
  stream.askBack();
  expect(borrower.last.isAskedBack).toBe(true);
  borrower.last.giveBack();
  stream.askBack(); // nobody has it, and no harm
});

test("a peer that breaks the rules in what was left unread is told so", async () => {
  await using call = await lendCall();
  const { client, heard, borrower } = call;
  borrower.last.giveBack({ unread: dataFrame(9, none) });
  expect((await heard.closed.promise).code).toBe(status.UNAVAILABLE);
  await client.closed;
  expect(client.goaway?.why).toContain("never opened");
});
