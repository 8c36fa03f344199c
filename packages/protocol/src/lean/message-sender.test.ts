import fc from "fast-check";
import { expect, test } from "vitest";
import { type FrameHead, LeanProtocolError } from "./frame.ts";
import { FrameReader } from "./frame-reader.ts";
import { messagePrefixBytes } from "./message-assembler.ts";
import { type FrameWriter, MessageSender } from "./message-sender.ts";

/** A network that takes everything at once and holds the sender to its windows. */
class CountingWriter implements FrameWriter {
  readonly dataBytesMax: number;
  readonly unsentBytes = 0;
  readonly lengths: number[] = [];
  sendWindow: number;
  received = Buffer.alloc(0);
  readonly #reader = new FrameReader({
    onDataBegin: ({ length }: FrameHead) => {
      expect(length).toBeGreaterThan(0);
      this.lengths.push(length);
    },
    onData: (_head, piece) => {
      this.received = Buffer.concat([this.received, piece]);
    },
    onDataEnd: () => {},
    onFrame: () => expect.fail("only DATA is sent"),
  });

  constructor(sendWindow: number, dataBytesMax: number) {
    this.sendWindow = sendWindow;
    this.dataBytesMax = dataBytesMax;
  }

  write(bytes: Uint8Array, onSent?: () => void): void {
    this.#reader.push(Buffer.from(bytes));
    onSent?.();
  }
  cork(): void {}
  uncork(): void {}
}

const someBytes = fc.uint8Array({ maxLength: 60 });

interface Step {
  readonly message?: { readonly head: Uint8Array; readonly payload: Uint8Array };
  readonly stream: number;
  readonly connection: number;
  readonly flushes: boolean;
}

const someSteps: fc.Arbitrary<Step[]> = fc.array(
  fc.record(
    {
      message: fc.record({ head: someBytes, payload: someBytes }),
      stream: fc.nat(90),
      connection: fc.nat(90),
      flushes: fc.boolean(),
    },
    { requiredKeys: ["stream", "connection", "flushes"] },
  ),
);

test("messages arrive whole and in order, within both windows, whenever these grow", () => {
  fc.assert(
    fc.property(someSteps, fc.integer({ min: 1, max: 50 }), (steps, max) => {
      const writer = new CountingWriter(0, max);
      const sender = new MessageSender(writer, 1, 0);
      const sent: number[] = [];
      const expected: Buffer[] = [];
      let [stream, connection] = [0, 0];
      const last = { stream: 10_000, connection: 10_000, flushes: true };
      for (const step of [...steps, last]) {
        if (step.stream > 0) sender.grant(step.stream);
        writer.sendWindow += step.connection;
        [stream, connection] = [stream + step.stream, connection + step.connection];
        if ("message" in step && step.message !== undefined) {
          const index = expected.length;
          expected.push(framed(step.message));
          sender.send(step.message, () => sent.push(index));
        }
        if (step.flushes) sender.flush();
        expect(writer.received.length).toBeLessThanOrEqual(Math.min(stream, connection));
      }
      expect(writer.received.toString("hex")).toBe(Buffer.concat(expected).toString("hex"));
      expect(Math.max(0, ...writer.lengths)).toBeLessThanOrEqual(max);
      expect(sent).toEqual([...expected.keys()]);
      expect(sender.queuedBytes).toBe(0);
    }),
  );
});

function framed({ head, payload }: { head: Uint8Array; payload: Uint8Array }): Buffer {
  const prefix = Buffer.alloc(messagePrefixBytes);
  prefix.writeUInt32BE(head.length + payload.length, 1);
  return Buffer.concat([prefix, head, payload]);
}

test("with room, a small message is one frame, and a large one is not copied", () => {
  const writer = new CountingWriter(2 ** 30, 2 ** 20);
  const sender = new MessageSender(writer, 1, 2 ** 30);
  sender.send({ head: new Uint8Array(40), payload: new Uint8Array(8192) });
  expect(writer.lengths).toEqual([messagePrefixBytes + 40 + 8192]);
  const payload = new Uint8Array(3 * 2 ** 20);
  const written: ArrayBufferLike[] = [];
  writer.write = (bytes) => written.push(bytes.buffer);
  sender.send({ head: new Uint8Array(40), payload });
  expect(written.filter((buffer) => buffer === payload.buffer).length).toBe(4);
});

test("a payload may change as soon as it is said to be sent", () => {
  const writer = new CountingWriter(2 ** 30, 2 ** 20);
  const sender = new MessageSender(writer, 1, 2 ** 30);
  for (let value = 1; value <= 3; value++) {
    const payload = new Uint8Array(100).fill(value);
    sender.send({ head: new Uint8Array(), payload }, () => payload.fill(0));
    expect(payload[0]).toBe(0);
    expect(writer.received.at(-1)).toBe(value);
  }
});

test("what the network has not taken is not written over", () => {
  const held: Uint8Array[] = [];
  const writer = new CountingWriter(2 ** 30, 2 ** 20);
  const busy = Object.assign(writer, { unsentBytes: 1 });
  busy.write = (bytes: Uint8Array) => held.push(bytes);
  const sender = new MessageSender(busy, 1, 2 ** 30);
  for (const value of [1, 2]) {
    sender.send({ head: new Uint8Array(), payload: new Uint8Array(10).fill(value) });
  }
  expect(held.map((bytes) => bytes.at(-1))).toEqual([1, 2]);
});

test("a window may not grow by nothing, nor beyond what HTTP/2 has", () => {
  const sender = new MessageSender(new CountingWriter(0, 1), 1, 65_535);
  expect(() => sender.grant(0)).toThrow(LeanProtocolError);
  expect(() => sender.grant(2 ** 31 - 65_535)).toThrow(LeanProtocolError);
});
