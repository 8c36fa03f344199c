// A lean server and clients of it, over loopback, with methods that a test makes up.
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { StatusError } from "../../status.ts";
import { connectLean } from "../lean-client.ts";
import type { LeanConnection } from "../lean-connection.ts";
import { LeanFront } from "../lean-front.ts";
import type { LeanMethod } from "../lean-server.ts";
import type { LeanStream, LeanStreamListener } from "../lean-stream.ts";

/** A server with one method, at {@link path}, that lives as long as its test. */
export class TestedServer implements AsyncDisposable {
  readonly front: LeanFront;
  readonly others: Socket[] = [];
  /** Connections so far. */
  numTaken = 0;
  readonly #tcp = createServer({ noDelay: true }, (socket) => {
    this.front.take(socket);
    this.numTaken++;
  });

  private constructor(method: LeanMethod) {
    this.front = new LeanFront(new Map([[path, method]]), (socket) => this.others.push(socket));
  }

  static async start(method: LeanMethod): Promise<TestedServer> {
    const server = new TestedServer(method);
    server.#tcp.listen(0, "127.0.0.1");
    await once(server.#tcp, "listening");
    return server;
  }

  get port(): number {
    return (this.#tcp.address() as AddressInfo).port;
  }

  /** A lean client's connection. */
  async connect(): Promise<LeanConnection> {
    const { signal } = new AbortController();
    const client = await connectLean(`127.0.0.1:${this.port}`, { signal });
    if (client === undefined) throw new Error("the server does not speak lean");
    return client.connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.front.destroy();
    this.#tcp.close();
    await once(this.#tcp, "close");
  }
}

/** Where the method is. */
export const path = "/test.Test/Method";

/** What a client asks for. */
export const request: readonly [string, string][] = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", path],
  [":authority", "test"],
  ["te", "trailers"],
  ["content-type", "application/grpc"],
];

/** Everything that came on a stream. */
export class Heard implements LeanStreamListener {
  readonly messages: Buffer[] = [];
  readonly closed = Promise.withResolvers<StatusError>();
  readonly #waiting: { count: number; resolve: () => void }[] = [];
  isAccepted = false;
  isInputEnded = false;
  numDrains = 0;
  /** How many messages had come at each end of a loan. */
  readonly loanEndsAfter: number[] = [];

  onAccepted(): void {
    this.isAccepted = true;
  }
  onMessage(message: Buffer): void {
    this.messages.push(message);
    for (const { count, resolve } of this.#waiting) if (this.messages.length >= count) resolve();
  }
  onDrain(): void {
    this.numDrains++;
  }
  onInputEnd(): void {
    this.isInputEnded = true;
  }
  onLoanEnd(): void {
    this.loanEndsAfter.push(this.messages.length);
  }
  onClose(how: StatusError): void {
    this.closed.resolve(how);
  }

  /** Resolves when so many messages have come. */
  untilMessages(count: number): Promise<void> {
    if (this.messages.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }
}

/** A method that sends back every message, and ends when its client does. */
export function echo(stream: LeanStream): LeanStreamListener {
  stream.accept();
  return {
    onMessage: (message) => stream.send({ head: new Uint8Array(), payload: message }),
    onInputEnd: () => stream.end(),
    onClose: () => {},
  };
}
