// A connection's socket, which may be lent to somebody who answers on it faster than JavaScript can.
// Whatever the connection does to it meanwhile asks for it back, and happens when it is there.
import type { Socket } from "node:net";
import type { LentSocket, ReturnedSocket, SocketBorrower, SocketLoan } from "@octet/core";

/** What Node has behind a socket, and does not document: guarded, for the next Node may change it. */
interface SocketHandle {
  readonly fd?: number;
  readStart?(): number;
  readStop?(): number;
}

/** A loan but for the file descriptor. */
export type LoanTerms = Omit<SocketLoan, "fd">;

/** One socket, at whichever hand it is. */
export class LendableSocket {
  readonly #socket: Socket;
  #lent: LentSocket | undefined;
  /** What is to be done when the socket is back, in order. */
  #postponed: (() => void)[] = [];
  #postponedBytes = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get isLent(): boolean {
    return this.#lent !== undefined;
  }

  /** Bytes that wait for the network, or for the socket. */
  get unsentBytes(): number {
    return this.#socket.writableLength + this.#postponedBytes;
  }

  /** While it is lent: whether anything came since this was last asked. */
  wasActive(): boolean {
    return this.#lent?.wasActive() ?? false;
  }

  /** @param bytes must not change until they are sent */
  write(bytes: Uint8Array, onSent?: () => void): void {
    if (this.#lent !== undefined) {
      this.#postponedBytes += bytes.length;
      this.#postpone(() => this.#write(bytes, onSent));
    } else {
      this.#write(bytes, onSent);
    }
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  /** Ends the connection when everything is sent. */
  destroySoon(): void {
    if (this.#lent === undefined) this.#socket.destroySoon();
    else this.#postpone(() => this.#socket.destroySoon());
  }

  /** Ends the connection now. */
  destroy(): void {
    this.#lent?.abandon();
    this.#socket.destroy();
  }

  /**
   * Lends the socket, if nothing waits to be read or sent.
   *
   * @param onReturned told before anything that waited for the socket is done; not told if the
   *   connection has ended
   * @returns whether it is lent
   */
  lend(
    borrower: SocketBorrower,
    terms: LoanTerms,
    onReturned: (returned: ReturnedSocket) => void,
  ): boolean {
    const socket = this.#socket;
    if (this.#lent !== undefined || socket.destroyed || socket.readableEnded) return false;
    if (this.unsentBytes > 0 || socket.readableLength > 0) return false;
    const handle = handleOf(socket);
    if (handle === undefined) return false;
    this.#lent = borrower.borrow({ ...terms, fd: handle.fd }, (returned) => {
      this.#lent = undefined;
      if (socket.destroyed) return;
      if (returned.isBroken) {
        socket.destroy();
        return;
      }
      onReturned(returned);
      if (this.#lent !== undefined || socket.destroyed) return;
      handle.readStart();
    });
    if (this.#lent === undefined) return false;
    handle.readStop();
    return true;
  }

  /** Wants the socket back, if it is lent. */
  askBack(): void {
    this.#lent?.askBack();
  }

  /** Does what waited for the socket. */
  catchUp(): void {
    const postponed = this.#postponed;
    this.#postponed = [];
    this.#postponedBytes = 0;
    for (const action of postponed) action();
  }

  #write(bytes: Uint8Array, onSent?: () => void): void {
    if (onSent === undefined) this.#socket.write(bytes);
    else this.#socket.write(bytes, (error) => error ?? onSent());
  }

  #postpone(action: () => void): void {
    this.#postponed.push(action);
    this.askBack();
  }
}

function handleOf(socket: Socket): Required<SocketHandle> | undefined {
  const { _handle: handle } = socket as Socket & { readonly _handle?: SocketHandle | null };
  const isKnown =
    typeof handle?.fd === "number" &&
    handle.fd >= 0 &&
    typeof handle.readStart === "function" &&
    typeof handle.readStop === "function";
  return isKnown ? (handle as Required<SocketHandle>) : undefined;
}
