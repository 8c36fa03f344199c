// Methods served on lean connections. What is not among them can only be had over plain gRPC.
import type { Socket } from "node:net";
import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { decode } from "../forward-decoding.ts";
import { encodeParts } from "../forward-encoding.ts";
import { freeMemory } from "../free-memory.ts";
import type { StreamHandler } from "../served-stream.ts";
import { type StatusError, toStatusError } from "../status.ts";
import { statusCode } from "../status-code.ts";
import type { Headers } from "./header-block.ts";
import { LeanCallError } from "./lean-call-error.ts";
import { LeanConnection } from "./lean-connection.ts";
import type { LeanStream, LeanStreamListener } from "./lean-stream.ts";
import { writeOpening } from "./opening.ts";

/** A method with these messages. */
export type MethodOf<Input extends DescMessage, Output extends DescMessage> = DescMethod & {
  readonly input: Input;
  readonly output: Output;
};

/** How one method is served. */
export type LeanMethod = (stream: LeanStream, peer: string) => LeanStreamListener;

/** Methods by their paths: /package.Service/Method. */
export type LeanMethods = Map<string, LeanMethod>;

/** Where a method is found. */
export function pathOf({ parent, name }: DescMethod): string {
  return `/${parent.typeName}/${name}`;
}

/** Serves a bidirectional method. */
export function leanStreamMethod<Input extends DescMessage, Output extends DescMessage>(
  { input, output }: MethodOf<Input, Output>,
  handler: StreamHandler<Input, Output>,
): LeanMethod {
  return (stream, peer) => {
    const listener = handler({
      peer,
      accept: () => stream.accept(),
      send: (message, onSent) => stream.send(encodeParts(output, message), onSent),
      end: (failure) => stream.end(failure),
      pause: () => stream.pause(),
      resume: () => stream.resume(),
      lend: (borrower) => stream.lend(borrower),
      askBack: () => stream.askBack(),
    });
    return {
      onMessage: (bytes) => {
        const message = decodeOrUndefined(input, bytes);
        if (message === undefined) stream.end(unreadable);
        else listener.onMessage(message, () => freeMemory(bytes));
      },
      onDrain: () => listener.onDrain(),
      onInputEnd: () => listener.onInputEnd(),
      onLoanEnd: () => listener.onLoanEnd?.(),
      onClose: () => listener.onClose(),
    };
  };
}

/**
 * Serves a method of one request and one response, which must be at hand.
 *
 * @param handler may throw a {@link LeanCallError}, with which the call ends
 */
export function leanUnaryMethod<Input extends DescMessage, Output extends DescMessage>(
  { input, output }: MethodOf<Input, Output>,
  handler: (request: MessageShape<Input>) => MessageInitShape<Output>,
): LeanMethod {
  return (stream) => {
    let request: MessageShape<Input> | undefined;
    return {
      onMessage: (bytes) => {
        request = decodeOrUndefined(input, bytes);
        if (request === undefined) stream.end(unreadable);
      },
      onInputEnd: () => {
        if (request === undefined) return stream.end(unreadable);
        let response: MessageInitShape<Output>;
        try {
          response = handler(request);
        } catch (error) {
          if (error instanceof LeanCallError) return stream.end(error.status);
          throw error;
        }
        stream.accept();
        stream.send(encodeParts(output, response));
        stream.end();
      },
      onClose: () => {},
    };
  };
}

/** What grpc-js says of a message that cannot be parsed. */
const unreadable: StatusError = {
  code: statusCode.INTERNAL,
  details: "Error deserializing request",
};

function decodeOrUndefined<Desc extends DescMessage>(
  desc: Desc,
  bytes: Uint8Array,
): MessageShape<Desc> | undefined {
  try {
    return decode(desc, bytes);
  } catch {
    return undefined;
  }
}

/** Serves `methods` to a client that has said that it speaks lean; reads on from there. */
export function serveLean(
  socket: Socket,
  peerSettings: ReadonlyMap<number, number>,
  { methods, onClose }: { readonly methods: LeanMethods; readonly onClose: () => void },
): LeanConnection {
  const peer = `${socket.remoteAddress}:${socket.remotePort}`;
  socket.write(writeOpening(true));
  const connection = new LeanConnection({
    socket,
    peerSettings,
    onStream: (stream, headers) => {
      const method = findMethod(methods, headers);
      if (method === undefined) {
        stream.end(toStatusError("unsupported", `no method ${headers.get(":path")} here`));
      } else {
        stream.listen(method(stream, peer));
      }
    },
    onClose,
  });
  socket.on("data", (bytes: Buffer) => {
    connection.receive(bytes);
    if (bytes.byteLength === bytes.buffer.byteLength) freeMemory(bytes);
  });
  return connection;
}

function findMethod(methods: LeanMethods, headers: Headers): LeanMethod | undefined {
  const isCall =
    headers.get(":method") === "POST" &&
    headers.get("content-type")?.startsWith("application/grpc") === true;
  return isCall ? methods.get(headers.get(":path") ?? "") : undefined;
}
