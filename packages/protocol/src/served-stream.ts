// A bidirectional call as a service sees it, whichever way it came.
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { SocketBorrower } from "@octet/core";
import type { StatusError } from "./status.ts";

/** The server's end of a call. */
export interface ServedStream<Output> {
  /** Who calls, for logs: host:port. */
  readonly peer: string;
  /** Sends the headers, so that the caller knows it is heard. */
  accept(): void;
  /**
   * Bytes in `message` must not change until they are sent.
   *
   * @param onSent called when they are; never, if the call ends before
   * @returns whether there is room for more; if not, `onDrain` will tell
   */
  send(message: Output, onSent?: () => void): boolean;
  /** Ends the call after what was sent, with OK unless told otherwise. */
  end(failure?: StatusError): void;
  /** Lets the caller send little more for now. */
  pause(): void;
  resume(): void;
  /**
   * Has `borrower` answer the caller on the socket itself, where there is one and nothing is under
   * way on it; what it leaves comes to the listener as always.
   *
   * @returns whether it does; `onLoanEnd` tells when it no longer does
   */
  lend(borrower: SocketBorrower): boolean;
  /** Wants the socket back, if it is lent. */
  askBack(): void;
}

/** Who hears what the caller does. */
export interface ServedStreamListener<Input> {
  /** @param release gives the message's memory back; its `bytes` fields are empty afterwards */
  onMessage(message: Input, release: () => void): void;
  /** There is room again after {@link ServedStream.send} found none. */
  onDrain(): void;
  /** The caller sends nothing more, but may wait for answers. */
  onInputEnd(): void;
  /** The borrower that `lend` lent the socket to has given it back. */
  onLoanEnd?(): void;
  /** Once, and last: the status is out, or the caller is gone. */
  onClose(): void;
}

/** Takes up one call. */
export type StreamHandler<Input extends DescMessage, Output extends DescMessage> = (
  stream: ServedStream<MessageInitShape<Output>>,
) => ServedStreamListener<MessageShape<Input>>;
