// gRPC's own frames within a stream: a flag, a length, a message, and so on.
import { messageBytesMax } from "@octet/core";
import { freedBytesMin } from "../free-memory.ts";
import type { StatusError } from "../status.ts";
import { statusCode } from "../status-code.ts";
import { readUint32 } from "./frame.ts";

/** Bytes before every message: whether it is compressed, and its length. */
export const messagePrefixBytes = 5;

/** Where messages end is a multiple of this, so that rows, which come last in them, are aligned. */
const alignmentBytes = 16;

/** Puts the messages of one stream together again. */
export class MessageAssembler {
  readonly #onMessage: (message: Buffer) => void;
  readonly #prefix = Buffer.alloc(messagePrefixBytes);
  #prefixFilled = 0;
  /** The message under way, if any of it is still to come. */
  #message: Buffer | undefined;
  #messageFilled = 0;

  /** @param onMessage gets bytes that are its own: it may free them by `freeMemory` */
  constructor(onMessage: (message: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  /** Whether everything that was pushed was whole messages. */
  get isBetweenMessages(): boolean {
    return this.#message === undefined && this.#prefixFilled === 0;
  }

  /**
   * Takes the next bytes of the stream, in any pieces; they are copied.
   *
   * @returns the status to end the stream with, if it cannot go on
   */
  push(bytes: Buffer): StatusError | undefined {
    let at = 0;
    while (at < bytes.length) {
      if (this.#message === undefined) {
        at = this.#takePrefix(bytes, at);
        if (this.#prefixFilled < messagePrefixBytes) return undefined;
        const problem = findPrefixProblem(this.#prefix);
        if (problem !== undefined) return problem;
        this.#prefixFilled = 0;
        this.#message = allocateMessage(readUint32(this.#prefix, 1));
        this.#messageFilled = 0;
      }
      at = this.#takeMessage(this.#message, bytes, at);
    }
    return undefined;
  }

  #takePrefix(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + messagePrefixBytes - this.#prefixFilled);
    for (let i = at; i < end; i++) this.#prefix[this.#prefixFilled++] = bytes[i]!;
    return end;
  }

  #takeMessage(message: Buffer, bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + message.length - this.#messageFilled);
    if (end > at) this.#messageFilled += bytes.copy(message, this.#messageFilled, at, end);
    if (this.#messageFilled === message.length) {
      this.#message = undefined;
      this.#onMessage(message);
    }
    return end;
  }
}

function allocateMessage(length: number): Buffer {
  if (length < freedBytesMin) return Buffer.allocUnsafe(length);
  const padding = -length & (alignmentBytes - 1);
  return Buffer.allocUnsafeSlow(padding + length).subarray(padding);
}

function findPrefixProblem(prefix: Buffer): StatusError | undefined {
  const length = readUint32(prefix, 1);
  if (prefix[0] !== 0) {
    const details = `expected a message that is not compressed, found flag ${prefix[0]}`;
    return { code: statusCode.UNIMPLEMENTED, details };
  }
  if (length > messageBytesMax) {
    const details = `expected a message of at most ${messageBytesMax} bytes, found ${length}`;
    return { code: statusCode.RESOURCE_EXHAUSTED, details };
  }
  return undefined;
}
