// Cuts what a socket delivers into HTTP/2 frames.
import {
  errorCode,
  type FrameHead,
  frameHeadBytes,
  frameType,
  LeanProtocolError,
  readFrameHead,
} from "./frame.ts";
import { headerBlockBytesMax } from "./header-block.ts";

/** Who gets the frames. Payloads of DATA come in pieces, as they arrive; all others come whole. */
export interface FrameSink {
  onDataBegin(head: FrameHead): void;
  onData(head: FrameHead, piece: Buffer): void;
  onDataEnd(head: FrameHead): void;
  onFrame(head: FrameHead, payload: Buffer): void;
}

/** Reads frames from pieces of any size. What the sink gets is valid only during its call. */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #headBytes = Buffer.alloc(frameHeadBytes);
  #headFilled = 0;
  #head: FrameHead | undefined;
  /** Bytes of the frame's payload that are still to come. */
  #missing = 0;
  /** What has come of a payload that must be whole. */
  #pieces: Buffer[] = [];

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Whether everything that was pushed was whole frames. */
  get isBetweenFrames(): boolean {
    return this.#head === undefined && this.#headFilled === 0;
  }

  /** @throws {LeanProtocolError} for a frame that is too long, and whatever the sink throws */
  push(bytes: Buffer): void {
    let at = 0;
    for (;;) {
      if (this.#head === undefined) {
        at = this.#takeHead(bytes, at);
        if (this.#head === undefined) return;
      }
      const end = Math.min(bytes.length, at + this.#missing);
      this.#missing -= end - at;
      const piece = bytes.subarray(at, end);
      at = end;
      const isWhole = this.#missing === 0;
      this.#deliver(this.#head, piece, isWhole);
      if (!isWhole) return;
    }
  }

  #takeHead(bytes: Buffer, at: number): number {
    if (this.#headFilled === 0 && bytes.length - at >= frameHeadBytes) {
      this.#begin(readFrameHead(bytes, at));
      return at + frameHeadBytes;
    }
    const end = Math.min(bytes.length, at + frameHeadBytes - this.#headFilled);
    this.#headFilled += bytes.copy(this.#headBytes, this.#headFilled, at, end);
    if (this.#headFilled === frameHeadBytes) {
      this.#headFilled = 0;
      this.#begin(readFrameHead(this.#headBytes, 0));
    }
    return end;
  }

  #begin(head: FrameHead): void {
    if (head.type === frameType.data) {
      this.#sink.onDataBegin(head);
    } else if (head.length > headerBlockBytesMax) {
      const detail = `a frame of type ${head.type} with ${head.length} bytes`;
      throw new LeanProtocolError(errorCode.frameSize, detail);
    }
    this.#head = head;
    this.#missing = head.length;
  }

  #deliver(head: FrameHead, piece: Buffer, isWhole: boolean): void {
    if (isWhole) this.#head = undefined;
    if (head.type === frameType.data) {
      if (piece.length > 0) this.#sink.onData(head, piece);
      if (isWhole) this.#sink.onDataEnd(head);
      return;
    }
    if (!isWhole) {
      this.#pieces.push(Buffer.from(piece));
      return;
    }
    const payload = this.#pieces.length === 0 ? piece : Buffer.concat([...this.#pieces, piece]);
    this.#pieces = [];
    this.#sink.onFrame(head, payload);
  }
}
