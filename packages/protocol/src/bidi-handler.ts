import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { type handleBidiStreamingCall, Metadata } from "@grpc/grpc-js";
import type { StreamHandler } from "./served-stream.ts";

/** Has grpc-js call `handler`. */
export function toBidiHandler<Input extends DescMessage, Output extends DescMessage>(
  handler: StreamHandler<Input, Output>,
): handleBidiStreamingCall<MessageShape<Input>, MessageInitShape<Output>> {
  return (call) => {
    const listener = handler({
      peer: call.getPeer(),
      accept: () => call.sendMetadata(new Metadata()),
      send: (message, onSent) => call.write(message, () => onSent?.()),
      end: (failure) => {
        if (failure === undefined) call.end();
        else call.emit("error", failure); // grpc-js's way to end by status
      },
      pause: () => call.pause(),
      resume: () => call.resume(),
      lend: () => false, // its connections are its own
      askBack: () => {},
    });
    let isClosed = false;
    const close = () => {
      if (!isClosed) listener.onClose();
      isClosed = true;
    };
    call.on("data", (message) => listener.onMessage(message, () => {}));
    call.on("drain", () => listener.onDrain());
    call.on("end", () => listener.onInputEnd());
    call.on("error", () => {}); // "close" follows
    call.on("cancelled", close);
    call.on("close", close);
  };
}
