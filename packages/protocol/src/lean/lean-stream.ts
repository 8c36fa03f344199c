// One call on a lean connection, at either end: gRPC messages both ways, and how it ended.
import type { SocketBorrower } from "@octet/core";
import { flowControlWindowBytes } from "../channel-options.ts";
import type { MessageParts } from "../forward-encoding.ts";
import type { StatusError } from "../status.ts";
import { statusCode } from "../status-code.ts";
import {
  errorCode,
  frameFlag,
  frameType,
  LeanProtocolError,
  toFrame,
  toNumbersFrame,
} from "./frame.ts";
import { encodeHeaders, type Headers } from "./header-block.ts";
import { MessageAssembler } from "./message-assembler.ts";
import { type FrameWriter, MessageSender } from "./message-sender.ts";
import { ReceiveWindow } from "./receive-window.ts";
import { fromTrailers, toTrailers } from "./trailers.ts";

/** Who hears what happens on a stream. */
export interface LeanStreamListener {
  /** At a client: the server has taken up the call. */
  onAccepted?(): void;
  /** @param message its bytes are the listener's, who may free them by `freeMemory` */
  onMessage(message: Buffer): void;
  /** There is room again after {@link LeanStream.send} found none. */
  onDrain?(): void;
  /** At a server: the client sends nothing more. */
  onInputEnd?(): void;
  /** The socket is back from whom {@link LeanStream.lend} lent it to. */
  onLoanEnd?(): void;
  /** Once, and last: how the call ended, whoever ended it. */
  onClose(how: StatusError): void;
}

/** The connection, as its streams need it. */
export interface StreamHost extends FrameWriter {
  readonly isServer: boolean;
  /** The stream is closed. */
  forget(stream: LeanStream): void;
  lend(stream: LeanStream, borrower: SocketBorrower): boolean;
  askBack(): void;
}

/** Unsent bytes above which a sender should wait. */
const unsentBytesMax = 1024 * 1024;

/** What a server's headers say. */
const acceptance = [
  [":status", "200"],
  ["content-type", "application/grpc"],
] as const;

/** Made by a connection; its owner listens before anything else. */
export class LeanStream {
  readonly id: number;
  readonly #host: StreamHost;
  readonly #sender: MessageSender;
  readonly #assembler = new MessageAssembler((message) => this.#deliver(message));
  readonly #window = new ReceiveWindow(flowControlWindowBytes);
  #listener: LeanStreamListener | undefined;
  #isAccepted = false;
  #isPaused = false;
  #wantsDrain = false;
  #isInputEnded = false;
  /** Whether a client has said that it sends no more, and the server has not been told. */
  #isOutputEnding = false;
  /** How a server ends it, once everything is sent. */
  #end: StatusError | undefined;
  #closed: StatusError | undefined;

  constructor(host: StreamHost, id: number, sendWindow: number) {
    this.#host = host;
    this.id = id;
    this.#sender = new MessageSender(host, id, sendWindow);
  }

  listen(listener: LeanStreamListener): void {
    this.#listener = listener;
    if (this.#closed !== undefined) listener.onClose(this.#closed);
  }

  /** Bytes that wait for the peer to take them, or for the network. */
  get unsentBytes(): number {
    return this.#sender.queuedBytes + this.#host.unsentBytes;
  }

  /**
   * Sends a message, whose payload must not change until it is sent.
   *
   * @param onSent called when it is; never, if the stream ends before
   * @returns whether there is room for more; if not, `onDrain` will tell
   */
  send(message: MessageParts, onSent?: () => void): boolean {
    if (this.#isClosed || this.#end !== undefined) return true;
    this.#sender.send(message, onSent);
    if (this.#sender.queuedBytes > 0) this.#host.askBack(); // who borrows it has the window
    this.#wantsDrain = this.unsentBytes > unsentBytesMax;
    return !this.#wantsDrain;
  }

  /** Lets the peer send no more than it may already. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#returnWindow();
  }

  /** At a server: tells the client that it is heard. */
  accept(): void {
    if (this.#isAccepted || this.#isClosed) return;
    this.#isAccepted = true;
    this.writeHeaders(acceptance, false);
  }

  /** At a server: ends the call, with OK unless told, when everything is sent. */
  end(how: StatusError = { code: statusCode.OK, details: "" }): void {
    if (this.#isClosed || this.#end !== undefined) return;
    this.#end = how;
    this.#endIfSent();
  }

  /**
   * At a server: has `borrower` answer the client's messages on the connection's socket, if nothing is
   * under way on it. What it leaves comes to the listener as always.
   *
   * @returns whether it does; `onLoanEnd` tells when it no longer does
   */
  lend(borrower: SocketBorrower): boolean {
    return this.#host.lend(this, borrower);
  }

  /** Wants the socket back, if it is lent. */
  askBack(): void {
    this.#host.askBack();
  }

  /** At a client: sends nothing more than it has. */
  endOutput(): void {
    this.#isOutputEnding = true;
    this.#endOutputIfSent();
  }

  /** At a client: gives the call up. */
  cancel(
    how: StatusError = { code: statusCode.CANCELLED, details: "the call was cancelled" },
  ): void {
    if (this.#isClosed) return;
    this.#reset(errorCode.cancel);
    this.close(how);
  }

  // From here on for the connection alone.

  /** How much a borrower may receive and send on it; undefined while something is under way. */
  get loanRoom(): { readonly receiveBytes: number; readonly sendBytes: number } | undefined {
    const isQuiet =
      !this.#isClosed &&
      this.#end === undefined &&
      !this.#isInputEnded &&
      !this.#isPaused &&
      this.#assembler.isBetweenMessages &&
      this.#sender.queuedBytes === 0;
    if (!isQuiet) return undefined;
    // Half of the window, so that it is given back before the peer has to wait.
    return { receiveBytes: this.#window.bytesLeft / 2, sendBytes: this.#sender.window };
  }

  /** A borrower received and sent on it. */
  goOn(receivedBytes: number, sentBytes: number): void {
    this.#window.spend(receivedBytes);
    this.#sender.spend(sentBytes);
    if (!this.#isPaused) this.#returnWindow();
    this.continueSending();
  }

  loanEnded(): void {
    if (!this.#isClosed) this.#listener?.onLoanEnd?.();
  }

  writeHeaders(fields: Iterable<readonly [string, string]>, isEnd: boolean): void {
    const flags = frameFlag.endHeaders | (isEnd ? frameFlag.endStream : 0);
    const payload = encodeHeaders(fields);
    this.#host.write(toFrame(frameType.headers, { streamId: this.id, flags, payload }));
  }

  /** Headers that come to a client: the first ones accept the call, the last ones end it. */
  receiveHeaders(headers: Headers, isEnd: boolean): void {
    if (isEnd) this.close(fromTrailers(headers));
    else if (!this.#isAccepted) {
      this.#isAccepted = true;
      this.#listener?.onAccepted?.();
    }
  }

  /** @throws {LeanProtocolError} if the peer may not send as much, or nothing at all */
  receiveBegin(length: number): void {
    if (this.#isInputEnded) {
      throw new LeanProtocolError(errorCode.protocol, "DATA after the end of a stream");
    }
    this.#window.spend(length);
  }

  receiveData(bytes: Buffer): void {
    if (this.#end !== undefined) return; // nobody wants it any more
    const problem = this.#assembler.push(bytes);
    if (problem !== undefined) this.#fail(problem);
  }

  receiveDataEnd(isEnd: boolean): void {
    if (!this.#isPaused) this.#returnWindow();
    if (!isEnd) return;
    this.#isInputEnded = true;
    if (!this.#host.isServer) {
      this.#fail({ code: statusCode.UNKNOWN, details: "the stream ended without a status" });
    } else if (!this.#assembler.isBetweenMessages) {
      this.#fail({ code: statusCode.INTERNAL, details: "the stream ended within a message" });
    } else {
      this.#listener?.onInputEnd?.();
    }
  }

  receiveReset(code: number): void {
    const isCancel = code === errorCode.cancel;
    const details = isCancel ? "the call was cancelled" : `the stream was reset with code ${code}`;
    this.close({ code: isCancel ? statusCode.CANCELLED : statusCode.UNAVAILABLE, details });
  }

  /** @throws {LeanProtocolError} for a window that HTTP/2 has not */
  receiveWindow(bytes: number): void {
    this.#sender.grant(bytes);
    this.continueSending();
  }

  /** A window has grown, or the network has taken what waited. */
  continueSending(): void {
    this.#sender.flush();
    this.#endIfSent();
    this.#endOutputIfSent();
    if (!this.#wantsDrain || this.#isClosed || this.unsentBytes > unsentBytesMax) return;
    this.#wantsDrain = false;
    this.#listener?.onDrain?.();
  }

  close(how: StatusError): void {
    if (this.#closed !== undefined) return;
    this.#closed = how;
    this.#sender.drop();
    this.#host.forget(this);
    this.#listener?.onClose(how);
  }

  #deliver(message: Buffer): void {
    if (!this.#isClosed && this.#end === undefined) this.#listener?.onMessage(message);
  }

  get #isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** Ends the call for what the peer sent. */
  #fail(how: StatusError): void {
    this.#sender.drop();
    if (this.#host.isServer) this.end(how);
    else this.cancel(how);
  }

  #endIfSent(): void {
    if (this.#end === undefined || this.#isClosed || this.#sender.queuedBytes > 0) return;
    const trailers = toTrailers(this.#end);
    this.writeHeaders(this.#isAccepted ? trailers : [...acceptance, ...trailers], true);
    // RFC 9113, 8.1: the client need not go on sending.
    if (!this.#isInputEnded) this.#reset(errorCode.none);
    this.close(this.#end);
  }

  #endOutputIfSent(): void {
    if (!this.#isOutputEnding || this.#isClosed || this.#sender.queuedBytes > 0) return;
    this.#isOutputEnding = false;
    this.#host.write(toFrame(frameType.data, { streamId: this.id, flags: frameFlag.endStream }));
  }

  #returnWindow(): void {
    const bytes = this.#window.takeReturn();
    if (bytes === 0 || this.#isClosed) return;
    this.#host.write(toNumbersFrame(frameType.windowUpdate, this.id, bytes));
  }

  #reset(code: number): void {
    this.#host.write(toNumbersFrame(frameType.rstStream, this.id, code));
  }
}
