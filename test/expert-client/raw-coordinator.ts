// A coordinator that writes its HTTP/2 by hand, keeps to both sides' windows and notes all it hears.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type ActivationRowsSchema,
  ForwardRequestSchema,
  type ForwardResponse,
  ForwardResponseSchema,
  splitAddress,
} from "@octet/protocol";
import { type FrameHead, frameType, readUint32 } from "../../packages/protocol/src/lean/frame.ts";
import { FrameReader } from "../../packages/protocol/src/lean/frame-reader.ts";
import { MessageAssembler } from "../../packages/protocol/src/lean/message-assembler.ts";
import { forwardHeaders, frame, frames, headerBlock, opening } from "../faults/raw-http2.ts";

/** A call as it is written to the wire, right or wrong. */
export interface WireCall {
  readonly callId: bigint;
  readonly layer?: number;
  readonly expertId?: number;
  readonly timeoutMs?: number;
  readonly input?: MessageInitShape<typeof ActivationRowsSchema>;
}

/** What HTTP/2 lets both sides send at first. */
const standardWindowBytes = 65_535;
/** The worker's window for a stream of ours. */
const workerWindowBytes = 8 * 1024 * 1024;

/** Stream 1 of a connection of its own, a call to Forward. */
export class RawCoordinator implements Disposable {
  /** By call id, as many as came. */
  readonly answers = new Map<bigint, ForwardResponse[]>();
  /** What stands in the frames that answer PINGs. */
  readonly pongs: string[] = [];
  /** How the worker ended the stream: the header block, and the reset's code. */
  readonly ends: string[] = [];
  goaway: string | undefined;
  /** What the worker sent that HTTP/2 does not let it. */
  violation: string | undefined;
  /** WINDOW_UPDATEs from the worker for the stream. */
  numWindowsGiven = 0;
  /** Bytes of answers after which both windows are given back. */
  readonly givesBackAfterBytes: number;
  isClosed = false;
  readonly socket: Socket;
  readonly #messages = new MessageAssembler((bytes) => {
    const answer = fromBinary(ForwardResponseSchema, bytes);
    const { callId } = answer;
    this.answers.set(callId, [...(this.answers.get(callId) ?? []), answer]);
  });
  #sendWindow = workerWindowBytes;
  /** What the worker may send, by stream. */
  readonly #workerWindows = new Map([0, 1].map((streamId) => [streamId, standardWindowBytes]));
  #receivedBytes = 0;
  /** Whether a frame is under way, which no other may interrupt. */
  #isWriting = false;
  /** Something has come, or nothing more will. */
  #news = Promise.withResolvers<void>();

  private constructor(socket: Socket, givesBackAfterBytes: number) {
    this.socket = socket;
    this.givesBackAfterBytes = givesBackAfterBytes;
    const reader = new FrameReader({
      onDataBegin: ({ length }) => {
        for (const streamId of [0, 1]) this.#grow(streamId, -length);
      },
      onData: (_head, piece) => {
        this.#messages.push(piece);
        this.#receivedBytes += piece.length;
      },
      onDataEnd: () => this.#giveBack(),
      onFrame: (head, payload) => this.#note(head, payload),
    });
    const tell = () => {
      this.#news.resolve();
      this.#news = Promise.withResolvers();
    };
    socket.on("data", (bytes) => {
      try {
        reader.push(bytes);
      } catch (error) {
        this.violation = String(error);
        socket.destroy();
      }
      tell();
    });
    socket.on("error", () => {}); // "close" follows
    socket.on("close", () => {
      this.isClosed = true;
      tell();
    });
  }

  /**
   * @param options.windowBytes what the worker may send ahead
   * @param options.givesBackAfterBytes half of that unless told; all, and the worker waits each time
   */
  static async open(
    address: string,
    options: { windowBytes?: number; givesBackAfterBytes?: number } = {},
  ): Promise<RawCoordinator> {
    const { windowBytes = standardWindowBytes } = options;
    const { givesBackAfterBytes = windowBytes / 2 } = options;
    const { host, port } = splitAddress(address);
    const socket = connect({ host, port, noDelay: true });
    await once(socket, "connect");
    const coordinator = new RawCoordinator(socket, givesBackAfterBytes);
    const headers = frame(frames.headers, headerBlock(forwardHeaders), 1, 4);
    const grown = coordinator.windowFrames(windowBytes - standardWindowBytes);
    await coordinator.write([Buffer.concat([opening("lean"), headers, ...grown])]);
    return coordinator;
  }

  /** Writes each piece in a turn of its own. */
  async write(pieces: readonly Uint8Array[]): Promise<void> {
    this.#isWriting = true;
    for (const piece of pieces) {
      if (this.isClosed) return;
      this.socket.write(piece);
      if (pieces.length > 1) await nextTurn();
    }
    this.#isWriting = false;
    this.#giveBack();
  }

  /** A DATA frame, which uses up the window; waits for it if need be. */
  async data(payload: Uint8Array, flags = 0): Promise<Buffer> {
    await this.until(() => this.#sendWindow >= payload.length);
    this.#sendWindow -= payload.length;
    return frame(frames.data, payload, 1, flags);
  }

  /** Frames that let the worker send more: on the stream and in all, unless told. */
  windowFrames(bytes: number, streamIds: readonly number[] = [0, 1]): Buffer[] {
    if (bytes === 0) return [];
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(bytes);
    return streamIds.map((streamId) => {
      this.#grow(streamId, bytes);
      return frame(frameType.windowUpdate, payload, streamId);
    });
  }

  /** Writes calls, a frame each. */
  async call(...calls: readonly WireCall[]): Promise<void> {
    const written: Buffer[] = [];
    for (const call of calls) written.push(await this.data(toMessage(call)));
    await this.write([Buffer.concat(written)]);
  }

  /** The answer to a call, however many others come before it. */
  async answerTo(callId: bigint): Promise<ForwardResponse> {
    await this.until(() => this.answers.has(callId));
    return this.answers.get(callId)![0]!;
  }

  /** Resolves when `isSo`, or when the worker has ended the connection. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo() && !this.isClosed) await this.#news.promise;
  }

  /** Resolves when the worker has read everything that was written. */
  async untilHeard(): Promise<void> {
    const expected = this.pongs.length + 1;
    await this.write([pingFrame("are you?")]);
    await this.until(() => this.pongs.length >= expected);
  }

  #giveBack(): void {
    if (this.#isWriting || this.#receivedBytes < this.givesBackAfterBytes) return;
    const grown = this.windowFrames(this.#receivedBytes);
    this.#receivedBytes = 0;
    this.socket.write(Buffer.concat(grown));
  }

  #grow(streamId: number, bytes: number): void {
    const left = this.#workerWindows.get(streamId)! + bytes;
    this.#workerWindows.set(streamId, left);
    if (left < 0) throw new Error(`${-left} bytes beyond the window of stream ${streamId}`);
  }

  #note({ type, flags, streamId }: FrameHead, payload: Buffer): void {
    const text = payload.toString("latin1");
    if (type === frameType.ping && flags === 1) this.pongs.push(text);
    if (type === frameType.headers && (flags & 1) !== 0) this.ends.push(text);
    if (type === frameType.rstStream) this.ends.push(`reset ${readUint32(payload, 0)}`);
    if (type === frameType.goaway) this.goaway = text;
    if (type === frameType.windowUpdate && streamId === 1) {
      this.numWindowsGiven++;
      this.#sendWindow += readUint32(payload, 0);
    }
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** A PING that holds eight letters. */
export function pingFrame(text: string): Buffer {
  return frame(frames.ping, Buffer.from(text, "latin1"));
}

/** A message of the stream, with its prefix. */
export function toMessage(call: WireCall): Buffer {
  const value = { layer: 0, expertId: 1, timeoutMs: 60_000, ...call };
  return toRequest({ kind: { case: "call", value } });
}

/** A cancel, with its prefix. */
export function toCancel(...callIds: bigint[]): Buffer {
  return toRequest({ kind: { case: "cancel", value: { callIds } } });
}

/** Any request, with its prefix. */
export function toRequest(request: MessageInitShape<typeof ForwardRequestSchema>): Buffer {
  return prefixed(toBinary(ForwardRequestSchema, create(ForwardRequestSchema, request)));
}

/** Bytes as a message of gRPC. */
export function prefixed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
