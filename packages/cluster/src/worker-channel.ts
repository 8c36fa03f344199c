// The wire to one worker: a connection, its one Forward stream, and Describe on the same connection.
import {
  callLean,
  connectLean,
  type DescribeResponse,
  ExpertService,
  type ForwardRequestInit,
  type ForwardResponse,
  type LeanClient,
  openLeanCall,
} from "@octet/protocol";
import { createClient } from "@octet/protocol/grpc";

/** Who hears what comes from a worker. */
export interface WorkerChannelListener {
  /** The worker has taken up the stream. */
  onOpen(): void;
  /** @param release gives the response's memory back; its rows are empty afterwards */
  onResponse(response: ForwardResponse, release: () => void): void;
  /** Once, and last: the channel is of no more use. */
  onEnd(why: string): void;
}

/** A channel that its owner closes. */
export interface WorkerChannel {
  /** How it speaks: written by hand, or by grpc-js with a worker that is none of ours. */
  readonly kind: "lean" | "grpc-js";
  /** Bytes of requests that wait to be sent. */
  readonly unsentBytes: number;
  /** Bytes in `request` must not change until they are sent. */
  send(request: ForwardRequestInit): void;
  /** @throws {Error} for a status other than OK */
  describe(deadlineMs: number): Promise<DescribeResponse>;
  /** Cancels what is under way; `onEnd` may or may not be told. */
  close(): void;
}

/**
 * Reaches a worker and begins its stream. A worker of ours is spoken to on a lean connection; any
 * other gRPC server that is in its place, over grpc-js.
 *
 * @param address host:port
 * @throws {Error} if it cannot be reached; the signal's reason
 */
export async function openWorkerChannel(
  address: string,
  listener: WorkerChannelListener,
  signal: AbortSignal,
): Promise<WorkerChannel> {
  const client = await connectLean(address, { signal });
  return client === undefined
    ? openGrpcChannel(address, listener)
    : openLeanChannel(client, listener);
}

const { forward, describe } = ExpertService.method;

function openLeanChannel(client: LeanClient, listener: WorkerChannelListener): WorkerChannel {
  const call = openLeanCall(client, forward, {
    onAccepted: () => listener.onOpen(),
    onMessage: (response, release) => listener.onResponse(response, release),
    onClose: ({ details }) => listener.onEnd(details || endedByWorker),
  });
  return {
    kind: "lean",
    get unsentBytes() {
      return call.unsentBytes;
    },
    send: (request) => call.send(request),
    describe: (deadlineMs) => callLean(client, describe, { request: {}, deadlineMs }),
    close: () => client.connection.destroy("the channel was closed"),
  };
}

function openGrpcChannel(address: string, listener: WorkerChannelListener): WorkerChannel {
  const client = createClient(ExpertService, address);
  const stream = client.forward();
  let unsentBytes = 0;
  stream.on("metadata", () => listener.onOpen());
  stream.on("data", (response) => listener.onResponse(response, () => {}));
  stream.on("error", () => {}); // "status" says the same, and always comes
  stream.on("status", ({ details }) => listener.onEnd(details || endedByWorker));
  return {
    kind: "grpc-js",
    get unsentBytes() {
      return unsentBytes;
    },
    send: (request) => {
      const bytes = payloadBytes(request);
      unsentBytes += bytes;
      stream.write(request, () => {
        unsentBytes -= bytes;
      });
    },
    describe: (deadlineMs) => client.describe({}, { deadlineMs }),
    close: () => {
      stream.cancel();
      client.close();
    },
  };
}

const endedByWorker = "the worker ended the stream";

function payloadBytes({ kind }: ForwardRequestInit): number {
  return kind?.case === "call" ? (kind.value.input?.data?.byteLength ?? 0) : 0;
}
