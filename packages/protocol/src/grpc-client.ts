// A typed client of one service over one channel.
import type {
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  Metadata,
} from "@grpc/grpc-js";
import { channelOptions } from "./channel-options.ts";
import { toMethodDefinition } from "./grpc-bridge.ts";

/** Bounds of one call. */
export interface CallBounds {
  /** From now, in ms. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** How a client reaches its server. */
export interface ClientOptions {
  /** Default: no encryption. */
  readonly credentials?: ChannelCredentials;
  /** Over {@link channelOptions}. */
  readonly channel?: ChannelOptions;
}

type UnaryCall<M extends DescMethod> = (
  request: MessageInitShape<M["input"]>,
  bounds: CallBounds,
) => Promise<MessageShape<M["output"]>>;
type ServerStreamCall<M extends DescMethod> = (
  request: MessageInitShape<M["input"]>,
  bounds: CallBounds,
) => ClientReadableStream<MessageShape<M["output"]>>;
/** Lives until either side ends it. */
type DuplexCall<M extends DescMethod> = () => ClientDuplexStream<
  MessageInitShape<M["input"]>,
  MessageShape<M["output"]>
>;

/**
 * A service's methods, callable, and `close`, which frees the channel and cancels what is under
 * way. A failed call rejects with, or its stream emits, grpc-js's ServiceError.
 */
export type GrpcClient<Service extends DescService> = {
  readonly [Name in keyof Service["method"]]: CallOf<Service["method"][Name]>;
} & { readonly close: () => void };
type CallOf<M extends DescMethod> = M extends DescMethodUnary
  ? UnaryCall<M>
  : M extends DescMethodServerStreaming
    ? ServerStreamCall<M>
    : M extends DescMethodBiDiStreaming
      ? DuplexCall<M>
      : never;

/** Connects at the first call. @param address host:port */
export function createClient<Service extends DescService>(
  service: Service,
  address: string,
  options: ClientOptions = {},
): GrpcClient<Service> {
  const client = new Client(address, options.credentials ?? credentials.createInsecure(), {
    ...channelOptions,
    ...options.channel,
  });
  const methods = service.methods.map((method) => [
    method.localName,
    bindMethod(client, service, method),
  ]);
  const bound: unknown = { ...Object.fromEntries(methods), close: () => client.close() };
  return bound as GrpcClient<Service>; // built above, method by method, from the description
}

function bindMethod(client: Client, service: DescService, method: DescMethod) {
  const { path, requestSerialize, responseDeserialize } = toMethodDefinition(service, method);
  type Request = MessageInitShape<DescMethod["input"]>;
  type Response = MessageShape<DescMethod["output"]>;
  switch (method.methodKind) {
    case "unary":
      return (request: Request, bounds: CallBounds): Promise<Response> =>
        new Promise((resolve, reject) => {
          const call = client.makeUnaryRequest(
            path,
            requestSerialize,
            responseDeserialize,
            request,
            new Metadata(),
            { deadline: deadlineAfter(bounds) },
            (error, response) => (error === null ? resolve(response!) : reject(error)),
          );
          cancelOnAbort(call, bounds.signal);
        });
    case "server_streaming":
      return (request: Request, bounds: CallBounds) => {
        const call = client.makeServerStreamRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          new Metadata(),
          { deadline: deadlineAfter(bounds) },
        );
        cancelOnAbort(call, bounds.signal);
        return call;
      };
    case "bidi_streaming":
      return () => client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    case "client_streaming":
      throw new TypeError(`${path} streams to the server only, which no service of ours does`);
  }
}

function deadlineAfter(bounds: CallBounds): number {
  return Date.now() + bounds.deadlineMs;
}

interface CancellableCall {
  cancel(): void;
  once(event: "status", listener: () => void): unknown;
}

function cancelOnAbort(call: CancellableCall, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  const cancel = () => call.cancel();
  if (signal.aborted) {
    cancel();
    return;
  }
  signal.addEventListener("abort", cancel, { once: true });
  call.once("status", () => signal.removeEventListener("abort", cancel));
}
