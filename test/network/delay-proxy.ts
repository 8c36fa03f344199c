// A network between two processes whose bytes arrive later than they were sent.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Most bytes on the way in one direction of a connection; then the sender waits. */
const bytesOnTheWayMax = 16 * 1024 * 1024;

/** Passes bytes on to one address. */
export interface DelayProxy {
  /** Where it listens. */
  readonly address: string;
  /** Drops every connection. */
  close(): void;
}

/**
 * A link of any bandwidth: bytes leave `delayMs` after they came, in either direction and in order;
 * a timer may add a millisecond. A connection's end is as late as its bytes.
 *
 * @param target host:port
 */
export async function openDelayProxy(target: string, delayMs: number): Promise<DelayProxy> {
  const [host, port] = target.split(":");
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host, port: Number(port), allowHalfOpen: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on("error", () => to.resetAndDestroy());
      from.on("close", () => sockets.delete(from));
      delayBytes(from, to, delayMs);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

interface OnTheWay {
  readonly dueMs: number;
  /** Undefined at the end of all bytes. */
  readonly bytes: Buffer | undefined;
}

function delayBytes(from: Socket, to: Socket, delayMs: number): void {
  const onTheWay: OnTheWay[] = [];
  let numBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  const deliver = () => {
    timer = undefined;
    const nowMs = performance.now();
    to.cork();
    while (onTheWay.length > 0 && onTheWay[0]!.dueMs <= nowMs) {
      const { bytes } = onTheWay.shift()!;
      if (bytes === undefined) to.end();
      else to.write(bytes);
      numBytes -= bytes?.length ?? 0;
    }
    to.uncork();
    if (numBytes < bytesOnTheWayMax) from.resume();
    const [next] = onTheWay;
    if (next !== undefined) timer = setTimeout(deliver, Math.ceil(next.dueMs - nowMs));
  };
  const send = (bytes: Buffer | undefined) => {
    onTheWay.push({ dueMs: performance.now() + delayMs, bytes });
    numBytes += bytes?.length ?? 0;
    if (numBytes >= bytesOnTheWayMax) from.pause();
    timer ??= setTimeout(deliver, delayMs);
  };
  from.on("data", send);
  from.on("end", () => send(undefined));
  to.on("close", () => clearTimeout(timer));
}
