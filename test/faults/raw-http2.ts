// HTTP/2 by hand, for what no client would send.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** What every HTTP/2 client begins with. */
const magic = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** Kinds of frames that are of use here. */
export const frames = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, continuation: 9 };

/** One frame. */
export function frame(type: number, payload: Uint8Array, streamId = 0, flags = 0): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** The setting by which clients of ours are known, and its value. */
const leanSetting = Buffer.from("f0c700000001", "hex");

/** How a client begins: as ours do, or as all others. */
export function opening(kind: "lean" | "plain"): Buffer {
  return Buffer.concat([
    magic,
    frame(frames.settings, kind === "lean" ? leanSetting : Buffer.of()),
  ]);
}

/** A header block of literals, which every peer reads. */
export function headerBlock(fields: Iterable<readonly [string, string]>): Buffer {
  const literal = (text: string) => {
    const bytes = Buffer.from(text, "latin1");
    if (bytes.length < 127) return Buffer.concat([Buffer.of(bytes.length), bytes]);
    const rest = bytes.length - 127;
    const length = Buffer.of(127, (rest & 127) | 128, ((rest >> 7) & 127) | 128, rest >> 14);
    return Buffer.concat([length, bytes]);
  };
  const parts = Array.from(fields, ([name, value]) => [
    Buffer.of(0),
    literal(name),
    literal(value),
  ]);
  return Buffer.concat(parts.flat());
}

/** The fields of a call to Forward. */
export const forwardHeaders: readonly (readonly [string, string])[] = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/octet.expert.v1.ExpertService/Forward"],
  [":authority", "test"],
  ["te", "trailers"],
  ["content-type", "application/grpc"],
];

/** A connection whose bytes a test writes. */
export class RawConnection implements Disposable {
  readonly socket: Socket;
  /** Everything that came back. */
  received = Buffer.alloc(0);
  #isClosed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => {}); // to be cut off is what it is made for
    socket.on("data", (bytes) => {
      this.received = Buffer.concat([this.received, bytes]);
    });
    socket.on("close", () => {
      this.#isClosed = true;
    });
  }

  /** @param address host:port */
  static async open(address: string): Promise<RawConnection> {
    const [host, port] = address.split(":");
    const socket = connect({ host: host!, port: Number(port), noDelay: true });
    await once(socket, "connect");
    return new RawConnection(socket);
  }

  /** Writes and then waits for an end, or for some time, whichever comes first. */
  async write(bytes: Uint8Array, waitMs = 0): Promise<void> {
    this.socket.write(bytes);
    const until = performance.now() + waitMs;
    while (!this.#isClosed && performance.now() < until) await delay(5);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
