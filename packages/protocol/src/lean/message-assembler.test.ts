import { status } from "@grpc/grpc-js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { MessageAssembler, messagePrefixBytes } from "./message-assembler.ts";
import { cutAt } from "./testing/cut-bytes.ts";

function frame(message: Uint8Array, flag = 0, length = message.length): Buffer {
  const bytes = Buffer.alloc(messagePrefixBytes + message.length);
  bytes[0] = flag;
  bytes.writeUInt32BE(length, 1);
  bytes.set(message, messagePrefixBytes);
  return bytes;
}

function assemble() {
  const messages: Buffer[] = [];
  return { messages, assembler: new MessageAssembler((message) => messages.push(message)) };
}

test("messages come out as they went in, however the bytes are cut", () => {
  const someMessages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
  fc.assert(
    fc.property(someMessages, fc.array(fc.nat(400)), (sent, cuts) => {
      const { messages, assembler } = assemble();
      const whole = Buffer.concat(sent.map((message) => frame(message)));
      for (const piece of cutAt(whole, cuts)) {
        expect(assembler.push(piece)).toBeUndefined();
        piece.fill(0xee); // what was pushed is the reader's again
      }
      expect(messages.map((message) => [...message])).toEqual(sent.map((message) => [...message]));
      expect(assembler.isBetweenMessages).toBe(true);
    }),
  );
});

test("a message under way is not the end of one, wherever it is cut", () => {
  const whole = frame(Uint8Array.of(1, 2, 3));
  for (let length = 1; length < whole.length; length++) {
    const { assembler } = assemble();
    assembler.push(whole.subarray(0, length));
    expect(assembler.isBetweenMessages).toBe(false);
  }
});

test("large messages have memory of their own, and end where rows are aligned", () => {
  for (const length of [4 * 1024, 8 * 1024 + 31, 70_001]) {
    const { messages, assembler } = assemble();
    assembler.push(frame(new Uint8Array(length).fill(7)));
    const [message] = messages;
    expect(message!.length).toBe(length);
    expect(message!.byteOffset + length).toBe(message!.buffer.byteLength);
    expect(message!.buffer.byteLength % 16).toBe(0);
  }
});

test.each<[string, Buffer, status]>([
  ["is compressed", frame(Uint8Array.of(1), 1), status.UNIMPLEMENTED],
  ["has an unknown flag", frame(Uint8Array.of(1), 0x80), status.UNIMPLEMENTED],
  [
    "says that it is 4 GiB long",
    frame(new Uint8Array(), 0, 0xffff_ffff),
    status.RESOURCE_EXHAUSTED,
  ],
])("a message that %s is refused, and those before it are not", (_what, refused, code) => {
  const { messages, assembler } = assemble();
  const problem = assembler.push(Buffer.concat([frame(Uint8Array.of(9)), refused]));
  expect(problem).toMatchObject({ code, details: expect.stringMatching(/^expected a message/) });
  expect(messages.map((message) => [...message])).toEqual([[9]]);
});
