// HTTP/2 between two ends of ours, written by hand: what gRPC needs of it, and no more. Everything
// that it sends is HTTP/2 to any reader; what it reads must be as strict as what it sends.
import type { Socket } from "node:net";
import type { ReturnedSocket, SocketBorrower } from "@octet/core";
import { keepaliveTimeMs, keepaliveTimeoutMs } from "../channel-options.ts";
import { statusCode } from "../status-code.ts";
import {
  errorCode,
  type FrameHead,
  frameFlag,
  frameType,
  LeanProtocolError,
  readUint32,
  setting,
  toFrame,
  toNumbersFrame,
  writeUint32,
} from "./frame.ts";
import { FrameReader, type FrameSink } from "./frame-reader.ts";
import { decodeHeaders, type Headers } from "./header-block.ts";
import { LeanStream, type LeanStreamListener, type StreamHost } from "./lean-stream.ts";
import { LendableSocket } from "./lendable-socket.ts";
import { leanStreamsMax, standardFrameBytes, standardWindowBytes } from "./opening.ts";
import { ReceiveWindow } from "./receive-window.ts";

/** What an end of a connection is made with. */
export interface LeanConnectionOptions {
  /** Both ends have said by now that they speak lean. Its owner passes on what it reads. */
  readonly socket: Socket;
  readonly peerSettings: ReadonlyMap<number, number>;
  /** At a server: takes up a call, and listens to it. */
  readonly onStream?: (stream: LeanStream, headers: Headers) => void;
  /** Once, when all its streams have closed and it is of no more use. */
  readonly onClose?: () => void;
}

/** Largest window that HTTP/2 has: the streams' windows are what limits. */
const connectionWindowBytes = 2 ** 31 - 1;
/** All bits of a window's growth but the reserved one. */
const windowMask = 0x7fff_ffff;
/** What is kept of a peer's reason to close. */
const farewellLengthMax = 200;
/** PINGs in a row from a peer that does not read the answers. */
const unreadPingsMax = 100;

/** One end of a connection, from the settings to its end. */
export class LeanConnection implements StreamHost, FrameSink {
  readonly isServer: boolean;
  readonly dataBytesMax: number;
  sendWindow = standardWindowBytes;
  readonly #options: LeanConnectionOptions;
  readonly #socket: LendableSocket;
  readonly #reader = new FrameReader(this);
  readonly #streams = new Map<number, LeanStream>();
  readonly #window = new ReceiveWindow(connectionWindowBytes);
  readonly #heartbeat: NodeJS.Timeout;
  #lastStreamId = 0;
  #numStreams = 0;
  #numUnreadPings = 0;
  #silentTicks = 0;
  #farewell = "";
  #isDraining = false;
  #isClosed = false;

  constructor(options: LeanConnectionOptions) {
    this.#options = options;
    this.#socket = new LendableSocket(options.socket);
    this.isServer = options.onStream !== undefined;
    this.dataBytesMax = options.peerSettings.get(setting.framePayloadMax) ?? standardFrameBytes;
    const grown = connectionWindowBytes - standardWindowBytes;
    this.#socket.write(toFrame(frameType.settings, { flags: frameFlag.ack }));
    this.#socket.write(toNumbersFrame(frameType.windowUpdate, 0, grown));
    this.#heartbeat = setInterval(() => this.#beat(), keepaliveTimeoutMs).unref();
    this.#listen(options.socket);
  }

  /** Takes what the socket delivers, in any pieces. They are read now, and not kept. */
  receive(bytes: Buffer): void {
    this.#silentTicks = 0;
    if (!this.#isClosed) this.#hear(() => this.#reader.push(bytes));
  }

  /** At a client: begins a call. */
  open(headers: Iterable<readonly [string, string]>, listener: LeanStreamListener): LeanStream {
    this.#lastStreamId += this.#lastStreamId === 0 ? 1 : 2;
    const stream = this.#addStream(this.#lastStreamId);
    stream.listen(listener);
    if (this.#isClosed) stream.close({ code: statusCode.UNAVAILABLE, details: "not connected" });
    else stream.writeHeaders(headers, false);
    return stream;
  }

  /** At a server: takes no new calls, and ends the connection after those it has. */
  drain(): void {
    this.#isDraining = true;
    if (this.#streams.size === 0) this.end("the server is going away");
  }

  /** Ends the connection once what was written is sent; open calls end now. */
  end(why: string): void {
    this.#end(errorCode.none, why);
  }

  /** Ends the connection now. */
  destroy(why: string): void {
    this.#socket.destroy();
    this.#close(why);
  }

  get unsentBytes(): number {
    return this.#socket.unsentBytes;
  }

  write(bytes: Uint8Array, onSent?: () => void): void {
    if (!this.#isClosed) this.#socket.write(bytes, onSent);
  }

  /**
   * Has `borrower` answer on the socket, if `stream` is all there is on it and nothing is under way.
   *
   * @returns whether it does; then the stream is told when it no longer does
   */
  lend(stream: LeanStream, borrower: SocketBorrower): boolean {
    if (this.#isClosed || this.#isDraining || this.#streams.size > 1) return false;
    const room = stream.loanRoom;
    if (room === undefined || !this.#reader.isBetweenFrames) return false;
    const terms = {
      streamId: stream.id,
      frameBytesMax: this.dataBytesMax,
      receiveBytesMax: Math.min(room.receiveBytes, this.#window.bytesLeft / 2),
      sendBytesMax: Math.min(room.sendBytes, this.sendWindow),
    };
    const { sendWindow } = this;
    const isLent = this.#socket.lend(borrower, terms, (returned) => {
      this.sendWindow = sendWindow - returned.sentBytes;
      this.#goOn(stream, returned);
    });
    if (isLent) this.sendWindow = 0; // it is the borrower's to use
    return isLent;
  }

  askBack(): void {
    this.#socket.askBack();
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  forget(stream: LeanStream): void {
    this.#streams.delete(stream.id);
    if (this.#isDraining) this.drain();
  }

  onDataBegin({ length, flags, streamId }: FrameHead): void {
    checkFlags("DATA", flags, frameFlag.endStream);
    this.#window.spend(length);
    this.#find(streamId)?.receiveBegin(length);
  }

  onData({ streamId }: FrameHead, piece: Buffer): void {
    this.#streams.get(streamId)?.receiveData(piece);
  }

  onDataEnd({ flags, streamId }: FrameHead): void {
    this.#streams.get(streamId)?.receiveDataEnd(flags === frameFlag.endStream);
    this.#returnWindow();
  }

  onFrame(head: FrameHead, payload: Buffer): void {
    if (this.#isClosed) return;
    switch (head.type) {
      case frameType.headers:
        this.#receiveHeaders(head, payload);
        break;
      case frameType.rstStream:
        this.#find(head.streamId)?.receiveReset(readNumber("RST_STREAM", payload));
        break;
      case frameType.windowUpdate:
        this.#receiveWindow(head.streamId, readNumber("WINDOW_UPDATE", payload) & windowMask);
        break;
      case frameType.ping:
        this.#receivePing(head.flags, payload);
        break;
      case frameType.settings:
        if (head.flags === frameFlag.ack && payload.length === 0) break;
        throw new LeanProtocolError(errorCode.protocol, "SETTINGS for a second time");
      case frameType.goaway:
        // Its streams say how they end, and then the socket closes.
        this.#farewell = `: ${payload.toString("latin1", 8, 8 + farewellLengthMax)}`;
        break;
      default:
        throw new LeanProtocolError(errorCode.protocol, `a frame of type ${head.type}`);
    }
  }

  /** The socket is back: goes on where the borrower stopped. */
  #goOn(stream: LeanStream, { receivedBytes, sentBytes, unread }: ReturnedSocket): void {
    this.#socket.catchUp();
    this.#hear(() => {
      this.#window.spend(receivedBytes);
      stream.goOn(receivedBytes, sentBytes);
      this.#returnWindow();
    });
    if (unread.length > 0) this.receive(unread);
    stream.loanEnded();
  }

  /** Ends the connection if the peer broke the protocol. */
  #hear(take: () => void): void {
    try {
      take();
    } catch (error) {
      if (!(error instanceof LeanProtocolError)) throw error;
      this.#end(error.code, `the peer broke the protocol: ${error.message}`);
    }
  }

  #listen(socket: Socket): void {
    let lastError: Error | undefined;
    socket.on("drain", () => {
      this.#numUnreadPings = 0;
      for (const stream of this.#streams.values()) stream.continueSending();
    });
    socket.on("error", (error) => {
      lastError = error;
    });
    socket.on("close", () => {
      this.#socket.destroy(); // a borrower has it no more
      clearInterval(this.#heartbeat);
      this.#close(lastError?.message ?? `the peer closed the connection${this.#farewell}`);
    });
  }

  #returnWindow(): void {
    const bytes = this.#window.takeReturn();
    if (bytes > 0) this.write(toNumbersFrame(frameType.windowUpdate, 0, bytes));
  }

  #addStream(id: number): LeanStream {
    const window = this.#options.peerSettings.get(setting.initialWindow) ?? standardWindowBytes;
    const stream = new LeanStream(this, id, window);
    this.#streams.set(id, stream);
    return stream;
  }

  /** The stream, or undefined if it is closed; one that never was is an error. */
  #find(streamId: number): LeanStream | undefined {
    if (streamId % 2 === 1 && streamId <= this.#lastStreamId) return this.#streams.get(streamId);
    throw new LeanProtocolError(errorCode.protocol, `a frame for stream ${streamId}, never opened`);
  }

  #receiveHeaders({ streamId, flags }: FrameHead, block: Buffer): void {
    checkFlags("HEADERS", flags, frameFlag.endHeaders | frameFlag.endStream);
    if ((flags & frameFlag.endHeaders) === 0) {
      throw new LeanProtocolError(errorCode.protocol, "HEADERS that are continued");
    }
    const headers = decodeHeaders(block);
    const isEnd = (flags & frameFlag.endStream) !== 0;
    if (!this.isServer) {
      this.#find(streamId)?.receiveHeaders(headers, isEnd);
      return;
    }
    if (streamId % 2 === 0 || streamId <= this.#lastStreamId) {
      throw new LeanProtocolError(errorCode.protocol, `HEADERS of stream ${streamId}`);
    }
    if (++this.#numStreams > leanStreamsMax) {
      throw new LeanProtocolError(errorCode.enhanceYourCalm, `more than ${leanStreamsMax} streams`);
    }
    this.#lastStreamId = streamId;
    if (this.#isDraining) {
      this.write(toNumbersFrame(frameType.rstStream, streamId, errorCode.refusedStream));
      return;
    }
    const stream = this.#addStream(streamId);
    this.#options.onStream?.(stream, headers);
    if (isEnd) stream.receiveDataEnd(true);
  }

  #receiveWindow(streamId: number, bytes: number): void {
    if (streamId !== 0) {
      this.#find(streamId)?.receiveWindow(bytes);
      return;
    }
    this.sendWindow += bytes;
    if (bytes === 0 || this.sendWindow > connectionWindowBytes) {
      throw new LeanProtocolError(errorCode.flowControl, `the window grows by ${bytes}`);
    }
    for (const stream of this.#streams.values()) stream.continueSending();
  }

  #receivePing(flags: number, payload: Buffer): void {
    if (payload.length !== 8) throw new LeanProtocolError(errorCode.frameSize, "a PING");
    if (flags === frameFlag.ack) return; // to be heard was the point
    if (this.unsentBytes > 0 && ++this.#numUnreadPings > unreadPingsMax) {
      throw new LeanProtocolError(errorCode.enhanceYourCalm, "PINGs whose answers are not read");
    }
    this.write(toFrame(frameType.ping, { flags: frameFlag.ack, payload }));
  }

  /** Asks a peer that is silent whether it lives, and gives it up if it says nothing. */
  #beat(): void {
    if (this.#isClosed) this.#socket.destroy(); // it had until now to take our last words
    if (this.#socket.wasActive()) this.#silentTicks = 0;
    this.#silentTicks++;
    const silentMs = this.#silentTicks * keepaliveTimeoutMs;
    if (silentMs >= keepaliveTimeMs + keepaliveTimeoutMs) {
      this.destroy(`the peer was silent for ${silentMs} ms`);
    } else if (silentMs >= keepaliveTimeMs) {
      this.write(toFrame(frameType.ping, { payload: Buffer.alloc(8) }));
    }
  }

  #end(code: number, why: string): void {
    if (this.#isClosed) return;
    const numbers = Buffer.alloc(8);
    writeUint32(numbers, 0, this.isServer ? this.#lastStreamId : 0);
    writeUint32(numbers, 4, code);
    const payload = Buffer.concat([numbers, Buffer.from(why)]);
    this.write(toFrame(frameType.goaway, { payload }));
    this.#socket.destroySoon();
    this.#close(why);
  }

  #close(why: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const stream of [...this.#streams.values()]) {
      stream.close({ code: statusCode.UNAVAILABLE, details: why });
    }
    this.#options.onClose?.();
  }
}

function checkFlags(name: string, flags: number, known: number): void {
  if ((flags & ~known) === 0) return;
  throw new LeanProtocolError(errorCode.protocol, `${name} with flags ${flags}`);
}

function readNumber(name: string, payload: Buffer): number {
  if (payload.length !== 4) {
    throw new LeanProtocolError(errorCode.frameSize, `${name} with ${payload.length} bytes`);
  }
  return readUint32(payload, 0);
}
