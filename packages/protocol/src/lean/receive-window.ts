// How much a peer may still send: HTTP/2's flow control, at the receiver.
import { errorCode, LeanProtocolError } from "./frame.ts";

/** One window, of a stream or of the whole connection. */
export class ReceiveWindow {
  readonly #bytes: number;
  #left: number;

  constructor(bytes: number) {
    this.#bytes = bytes;
    this.#left = bytes;
  }

  /** What the peer may still send. */
  get bytesLeft(): number {
    return this.#left;
  }

  /**
   * The peer uses up `length` bytes.
   *
   * @throws {LeanProtocolError} if it had fewer left
   */
  spend(length: number): void {
    this.#left -= length;
    if (this.#left >= 0) return;
    throw new LeanProtocolError(errorCode.flowControl, `${-this.#left} bytes beyond the window`);
  }

  /** What to give back to the peer now: nothing, or at least half, since telling it costs a frame. */
  takeReturn(): number {
    const spent = this.#bytes - this.#left;
    if (spent < this.#bytes / 2) return 0;
    this.#left = this.#bytes;
    return spent;
  }
}
