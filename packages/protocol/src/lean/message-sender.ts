// Sends one stream's messages as DATA frames, as far as both windows reach.

import type { MessageParts } from "../forward-encoding.ts";
import {
  errorCode,
  frameHeadBytes,
  frameType,
  LeanProtocolError,
  writeFrameHead,
  writeUint32,
} from "./frame.ts";
import { messagePrefixBytes } from "./message-assembler.ts";

/** The connection, as those who send need it. */
export interface FrameWriter {
  /** Bytes that all streams together may still send. */
  sendWindow: number;
  /** Longest DATA that the peer takes. */
  readonly dataBytesMax: number;
  /** Bytes of all streams that wait for the network. */
  readonly unsentBytes: number;
  /** @param bytes must not change until they are sent */
  write(bytes: Uint8Array, onSent?: () => void): void;
  /** What is written between `cork` and `uncork` leaves together. */
  cork(): void;
  uncork(): void;
}

/** Messages up to this are copied behind their head: one write of one piece is the cheapest. */
const coalescedBytesMax = 32 * 1024;
/** Largest window that HTTP/2 has. */
const windowBytesMax = 2 ** 31 - 1;

/** Where small messages are written together; another, if the network has not taken all of it. */
let scratch = Buffer.allocUnsafeSlow(frameHeadBytes + coalescedBytesMax);

interface QueuedPiece {
  readonly bytes: Uint8Array;
  readonly onSent?: (() => void) | undefined;
}

/** The sending half of a stream. */
export class MessageSender {
  readonly #writer: FrameWriter;
  readonly #streamId: number;
  #window: number;
  /** What the windows hold back. */
  #queue: QueuedPiece[] = [];
  #queuedBytes = 0;

  constructor(writer: FrameWriter, streamId: number, window: number) {
    this.#writer = writer;
    this.#streamId = streamId;
    this.#window = window;
  }

  /** Bytes that the windows hold back. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Bytes that the stream's window has room for. */
  get window(): number {
    return this.#window;
  }

  /** Somebody else sent for this stream. */
  spend(bytes: number): void {
    this.#window -= bytes;
  }

  /** Sends a message, whose payload must not change until `onSent` says that it is sent. */
  send({ head, payload }: MessageParts, onSent: () => void = () => {}): void {
    const messageBytes = head.length + payload.length;
    const length = messagePrefixBytes + messageBytes;
    if (length <= coalescedBytesMax && this.#queuedBytes === 0 && length <= this.#room()) {
      const bytes = scratch.subarray(0, frameHeadBytes + length);
      this.#writeHead(bytes, length);
      writePrefix(bytes, frameHeadBytes, messageBytes);
      bytes.set(head, frameHeadBytes + messagePrefixBytes);
      bytes.set(payload, bytes.length - payload.length);
      this.#writer.write(bytes);
      if (this.#writer.unsentBytes > 0) scratch = Buffer.allocUnsafeSlow(scratch.length);
      onSent();
      return;
    }
    const start = Buffer.allocUnsafe(messagePrefixBytes + head.length);
    writePrefix(start, 0, messageBytes);
    start.set(head, messagePrefixBytes);
    if (payload.length === 0) {
      this.#queue.push({ bytes: start, onSent });
    } else {
      this.#queue.push({ bytes: start }, { bytes: payload, onSent });
    }
    this.#queuedBytes += length;
    this.flush();
  }

  /** @throws {LeanProtocolError} if the window grows beyond what HTTP/2 has */
  grant(bytes: number): void {
    this.#window += bytes;
    if (bytes > 0 && this.#window <= windowBytesMax) return;
    throw new LeanProtocolError(errorCode.flowControl, `a window grows by ${bytes}`);
  }

  /** Sends what is queued as far as the windows reach. */
  flush(): void {
    if (this.#queuedBytes === 0) return;
    this.#writer.cork();
    for (;;) {
      const length = Math.min(this.#queuedBytes, this.#room());
      if (length === 0) break;
      const head = Buffer.allocUnsafe(frameHeadBytes);
      this.#writeHead(head, length);
      this.#writer.write(head);
      this.#writeQueued(length);
    }
    this.#writer.uncork();
  }

  /** Forgets what is queued. */
  drop(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  #room(): number {
    return Math.max(0, Math.min(this.#window, this.#writer.sendWindow, this.#writer.dataBytesMax));
  }

  #writeHead(into: Buffer, length: number): void {
    this.#window -= length;
    this.#writer.sendWindow -= length;
    writeFrameHead(into, 0, { length, type: frameType.data, flags: 0, streamId: this.#streamId });
  }

  #writeQueued(length: number): void {
    this.#queuedBytes -= length;
    let left = length;
    while (left > 0) {
      const { bytes, onSent } = this.#queue[0]!;
      if (bytes.length > left) {
        this.#writer.write(bytes.subarray(0, left));
        this.#queue[0] = { bytes: bytes.subarray(left), onSent };
        return;
      }
      this.#writer.write(bytes, onSent);
      this.#queue.shift();
      left -= bytes.length;
    }
  }
}

function writePrefix(into: Uint8Array, at: number, messageBytes: number): void {
  into[at] = 0; // not compressed
  writeUint32(into, at + 1, messageBytes);
}
