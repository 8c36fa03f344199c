// The other end of the raw TCP echo: as little as Node can do.
import { once } from "node:events";
import { connect } from "node:net";
import { startChildServer } from "./child-server.ts";

/** A connection whose peer sends back what it gets. */
export interface RawEcho extends AsyncDisposable {
  /** The process at the other end. */
  readonly pid: number;
  /** Sends `bytes` and resolves when as many have come back; one at a time. */
  call(bytes: Uint8Array): Promise<void>;
}

/** Starts the other end and connects to it. */
export async function openRawEcho(): Promise<RawEcho> {
  const server = await startChildServer("raw-echo-process.ts");
  const [host, port] = server.address.split(":");
  const socket = connect({ host: host!, port: Number(port), noDelay: true });
  await once(socket, "connect");
  let missingBytes = 0;
  let resolve = () => {};
  socket.on("data", (bytes) => {
    missingBytes -= bytes.length;
    if (missingBytes === 0) resolve();
  });
  return {
    pid: server.pid,
    call: (bytes) => {
      missingBytes = bytes.length;
      const echoed = new Promise<void>((done) => {
        resolve = done;
      });
      socket.write(bytes);
      return echoed;
    },
    [Symbol.asyncDispose]: async () => {
      socket.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}
