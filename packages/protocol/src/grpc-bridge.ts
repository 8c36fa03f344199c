// From a service as protobuf-es describes it to what grpc-js serves and calls.
import type {
  DescMessage,
  DescMethod,
  DescService,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type {
  handleBidiStreamingCall,
  handleClientStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  MethodDefinition,
  Server,
  ServiceDefinition,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { decode } from "./forward-decoding.ts";
import { encode } from "./forward-encoding.ts";

/** What a method's handler must be, by its kind. Messages arrive whole and leave as literals. */
export type Handler<Method extends DescMethod> = HandlerOfKind<
  Method["methodKind"],
  MessageShape<Method["input"]>,
  MessageInitShape<Method["output"]>
>;

/** One handler for each method of a service. */
export type Handlers<Service extends DescService> = {
  [Name in keyof Service["method"]]: Handler<Service["method"][Name]>;
};

interface HandlersByKind<Input, Output> {
  unary: handleUnaryCall<Input, Output>;
  server_streaming: handleServerStreamingCall<Input, Output>;
  client_streaming: handleClientStreamingCall<Input, Output>;
  bidi_streaming: handleBidiStreamingCall<Input, Output>;
}
type HandlerOfKind<Kind extends DescMethod["methodKind"], Input, Output> = HandlersByKind<
  Input,
  Output
>[Kind];

/** How grpc-js carries one method. `bytes` fields of what it parses may start at any alignment. */
export function toMethodDefinition<Input extends DescMessage, Output extends DescMessage>(
  service: DescService,
  method: DescMethod & { input: Input; output: Output },
): MethodDefinition<MessageInitShape<Input>, MessageShape<Output>> {
  return {
    path: `/${service.typeName}/${method.name}`,
    originalName: method.localName,
    requestStream:
      method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
    responseStream:
      method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
    requestSerialize: (message) => encode(method.input, message),
    requestDeserialize: (bytes) => decode(method.input, bytes),
    responseSerialize: (message) => encode(method.output, message),
    responseDeserialize: (bytes) => decode(method.output, bytes),
  };
}

/** How grpc-js serves a whole service, by its methods' names in lower camel case. */
export function toServiceDefinition(service: DescService): ServiceDefinition {
  return Object.fromEntries(
    service.methods.map((method) => [method.localName, toMethodDefinition(service, method)]),
  );
}

/** Has `server` answer calls to `service` with `handlers`. */
export function addService<Service extends DescService>(
  server: Server,
  service: Service,
  handlers: Handlers<Service>,
): void {
  const untyped: unknown = handlers; // grpc-js knows the handlers only by their names
  server.addService(toServiceDefinition(service), untyped as UntypedServiceImplementation);
}
