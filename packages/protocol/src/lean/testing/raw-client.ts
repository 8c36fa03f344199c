// A client that writes what it likes and notes down what comes.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  type FrameHead,
  frameFlag,
  frameType,
  readUint32,
  toFrame,
  writeUint32,
} from "../frame.ts";
import { FrameReader } from "../frame-reader.ts";
import { encodeHeaders } from "../header-block.ts";
import { messagePrefixBytes } from "../message-assembler.ts";
import { writeOpening } from "../opening.ts";
import { request } from "./lean-pair.ts";

/** Speaks lean as far as its settings; the rest is its test's. */
export class RawClient implements Disposable {
  readonly socket: Socket;
  /** Payloads of DATA in the pieces they came in. */
  readonly frames: { head: FrameHead; payload: Buffer }[] = [];
  readonly closed: Promise<unknown>;

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    const note = (head: FrameHead, payload: Buffer) =>
      this.frames.push({ head, payload: Buffer.from(payload) });
    const reader = new FrameReader({
      onDataBegin: () => {},
      onData: note,
      onDataEnd: () => {},
      onFrame: note,
    });
    this.socket.on("data", (bytes) => reader.push(bytes));
    this.socket.on("error", () => {}); // the server may be faster
    this.closed = once(this.socket, "close");
    this.socket.write(writeOpening(false));
  }

  get goaway(): { code: number; why: string } | undefined {
    const payload = this.#ofType(frameType.goaway)[0]?.payload;
    return payload && { code: readUint32(payload, 4), why: payload.toString("latin1", 8) };
  }

  /** All DATA that came, without the frames around it. */
  get data(): Buffer {
    return Buffer.concat(this.#ofType(frameType.data).map(({ payload }) => payload));
  }

  /** PINGs that are no answers. */
  get numPings(): number {
    return this.#ofType(frameType.ping).filter(({ head }) => head.flags === 0).length;
  }

  /** Whether the server has ended the call. */
  get hasTrailers(): boolean {
    return this.#ofType(frameType.headers).some(({ head }) => head.flags & frameFlag.endStream);
  }

  /** Bytes by which the server has let a stream's window grow; the connection's is stream 0. */
  windowGrown(streamId: number): number {
    return this.#ofType(frameType.windowUpdate)
      .filter(({ head }) => head.streamId === streamId)
      .reduce((sum, { payload }) => sum + readUint32(payload, 0), 0);
  }

  /** Resolves when the server has read everything that was written. */
  async untilHeard(): Promise<void> {
    const before = this.#numPongs;
    this.socket.write(toFrame(frameType.ping, { payload: Buffer.alloc(8) }));
    while (this.#numPongs === before) await once(this.socket, "data");
  }

  get #numPongs(): number {
    return this.#ofType(frameType.ping).length - this.numPings;
  }

  #ofType(type: number) {
    return this.frames.filter(({ head }) => head.type === type);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** HEADERS of a call. */
export function callFrame(streamId: number, flags: number = frameFlag.endHeaders): Buffer {
  return toFrame(frameType.headers, { streamId, flags, payload: encodeHeaders(request) });
}

/** A DATA frame. */
export function dataFrame(streamId: number, payload: Uint8Array, flags = 0): Buffer {
  return toFrame(frameType.data, { streamId, flags, payload });
}

/** What a message is on the wire, within DATA. */
export function prefixed(message: string | Uint8Array): Buffer {
  const prefix = Buffer.alloc(messagePrefixBytes);
  writeUint32(prefix, 1, message.length);
  return Buffer.concat([prefix, Buffer.from(message)]);
}
