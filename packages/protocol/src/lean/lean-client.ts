// The client's end: connecting, and calling.
import { connect, type Socket } from "node:net";
import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { splitAddress } from "../address.ts";
import { decode } from "../forward-decoding.ts";
import { encodeParts } from "../forward-encoding.ts";
import { freeMemory } from "../free-memory.ts";
import type { StatusError } from "../status.ts";
import { statusCode } from "../status-code.ts";
import { LeanCallError } from "./lean-call-error.ts";
import { LeanConnection } from "./lean-connection.ts";
import { type MethodOf, pathOf } from "./lean-server.ts";
import { OpeningReader, writeOpening } from "./opening.ts";

/** Most bytes of one read. */
const readBytes = 256 * 1024;

/** A client's connection to one server. */
export interface LeanClient {
  readonly address: string;
  readonly connection: LeanConnection;
}

/**
 * Connects to a server, if it speaks lean.
 *
 * @param address host:port
 * @param options.signal gives up connecting
 * @returns undefined if it speaks plain gRPC only
 * @throws {Error} Node's, if there is no connection; the signal's reason
 */
export async function connectLean(
  address: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<LeanClient | undefined> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<LeanClient | undefined>();
  const opening = new OpeningReader(false);
  let connection: LeanConnection | undefined;
  const read = (bytes: Buffer) => {
    if (connection !== undefined) return connection.receive(bytes);
    const found = opening.push(bytes);
    if (found.kind === "other") {
      socket.destroy();
      resolve(undefined);
    } else if (found.kind === "lean") {
      connection = new LeanConnection({ socket, peerSettings: found.settings });
      resolve({ address, connection });
      connection.receive(opening.bytes.subarray(found.length));
    }
  };
  const socket = connectAndRead(address, read);
  const giveUp = () => socket.destroy(signal.reason);
  const refuse = (error?: Error) => {
    if (error instanceof AggregateError) {
      const detail = error.errors.map(String).join("; "); // one for each of the host's addresses
      reject(new Error(detail, { cause: error }));
    } else {
      reject(error ?? new Error(`${address} closed the connection`));
    }
  };
  signal.addEventListener("abort", giveUp, { once: true });
  socket.once("error", refuse);
  socket.once("close", () => refuse());
  socket.write(writeOpening(false));
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

/** Everything is read into the same memory: a read costs neither an allocation nor a stream's work. */
function connectAndRead(address: string, read: (bytes: Buffer) => void): Socket {
  const buffer = Buffer.allocUnsafeSlow(readBytes);
  const callback = (length: number) => {
    read(buffer.subarray(0, length));
    return true;
  };
  return connect({ ...splitAddress(address), noDelay: true, onread: { buffer, callback } });
}

/** What hears the messages of a bidirectional call. */
export interface LeanCallListener<Output> {
  /** The server has taken up the call. */
  onAccepted(): void;
  /** @param release gives the message's memory back; its `bytes` fields are empty afterwards */
  onMessage(message: Output, release: () => void): void;
  /** Once, and last. */
  onClose(how: StatusError): void;
}

/** The client's end of a bidirectional call. */
export interface LeanCall<Input> {
  /** Bytes that wait to be sent. */
  readonly unsentBytes: number;
  /** Bytes in `message` must not change until they are sent. */
  send(message: Input): void;
  /** Sends nothing more; answers still come. */
  end(): void;
  /** Gives the call up; `onClose` hears CANCELLED unless told otherwise. */
  cancel(how?: StatusError): void;
}

/** Begins a bidirectional call. */
export function openLeanCall<Input extends DescMessage, Output extends DescMessage>(
  client: LeanClient,
  method: MethodOf<Input, Output>,
  listener: LeanCallListener<MessageShape<Output>>,
): LeanCall<MessageInitShape<Input>> {
  const { input, output } = method;
  const stream = client.connection.open(toHeaders(client, method), {
    onAccepted: () => listener.onAccepted(),
    onMessage: (bytes) => {
      let message: MessageShape<Output>;
      try {
        message = decode(output, bytes);
      } catch (error) {
        stream.cancel({ code: statusCode.INTERNAL, details: `an unreadable answer: ${error}` });
        return;
      }
      listener.onMessage(message, () => freeMemory(bytes));
    },
    onClose: (how) => listener.onClose(how),
  });
  return {
    get unsentBytes() {
      return stream.unsentBytes;
    },
    send: (message) => {
      stream.send(encodeParts(input, message));
    },
    end: () => stream.endOutput(),
    cancel: (how) => stream.cancel(how),
  };
}

/**
 * Calls a method of one request and one response.
 *
 * @throws {LeanCallError}
 */
export async function callLean<Input extends DescMessage, Output extends DescMessage>(
  client: LeanClient,
  method: MethodOf<Input, Output>,
  { request, deadlineMs }: { request: MessageInitShape<Input>; deadlineMs: number },
): Promise<MessageShape<Output>> {
  const { promise, resolve, reject } = Promise.withResolvers<MessageShape<Output>>();
  let response: MessageShape<Output> | undefined;
  const call = openLeanCall(client, method, {
    onAccepted: () => {},
    onMessage: (message) => {
      response = message;
    },
    onClose: (how) => {
      if (how.code === statusCode.OK && response !== undefined) resolve(response);
      else reject(new LeanCallError(how));
    },
  });
  const late = { code: statusCode.DEADLINE_EXCEEDED, details: `no answer in ${deadlineMs} ms` };
  const timer = setTimeout(() => call.cancel(late), deadlineMs);
  call.send(request);
  call.end();
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

function toHeaders({ address }: LeanClient, method: DescMethod): [string, string][] {
  return [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", pathOf(method)],
    [":authority", address],
    ["te", "trailers"],
    ["content-type", "application/grpc"],
  ];
}
