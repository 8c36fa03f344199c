// A borrower of sockets whose every step is its test's.
import { readSync, writeSync } from "node:fs";
import type { LentSocket, ReturnedSocket, SocketBorrower, SocketLoan } from "@octet/core";

/** Takes every socket, and keeps it until told. */
export class HeldSockets implements SocketBorrower {
  readonly loans: HeldSocket[] = [];
  /** Whether it takes any. */
  isOpen = true;

  /** The loan under way, or the last. */
  get last(): HeldSocket {
    return this.loans.at(-1)!;
  }

  borrow(loan: SocketLoan, onReturned: (returned: ReturnedSocket) => void): LentSocket | undefined {
    if (!this.isOpen) return undefined;
    this.loans.push(new HeldSocket(loan, onReturned));
    return this.last;
  }
}

/** One loan. */
export class HeldSocket implements LentSocket {
  readonly loan: SocketLoan;
  /** What `wasActive` says next. */
  isActive = false;
  isAskedBack = false;
  isAbandoned = false;
  readonly #onReturned: (returned: ReturnedSocket) => void;

  constructor(loan: SocketLoan, onReturned: (returned: ReturnedSocket) => void) {
    this.loan = loan;
    this.#onReturned = onReturned;
  }

  wasActive(): boolean {
    const { isActive } = this;
    this.isActive = false;
    return isActive;
  }

  askBack(): void {
    this.isAskedBack = true;
  }

  abandon(): void {
    this.isAbandoned = true;
  }

  /** Reads `length` bytes of the client's, or fewer if it sends no more. */
  async read(length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(length);
    let filled = 0;
    while (filled < length) {
      const count = tryRead(this.loan.fd, bytes.subarray(filled));
      if (count === 0) break;
      filled += count ?? 0;
      if (count === undefined) await new Promise((resolve) => setImmediate(resolve));
    }
    return bytes.subarray(0, filled);
  }

  write(bytes: Uint8Array): void {
    writeSync(this.loan.fd, bytes);
  }

  /** Gives the socket back; nothing has happened on it unless told. */
  giveBack(returned: Partial<ReturnedSocket> = {}): void {
    const nothing = { unread: Buffer.alloc(0), receivedBytes: 0, sentBytes: 0, isBroken: false };
    this.#onReturned({ ...nothing, ...returned });
  }
}

/** Undefined if nothing has come yet; 0 at the end. */
function tryRead(fd: number, into: Uint8Array): number | undefined {
  try {
    return readSync(fd, into);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EAGAIN") return undefined;
    if (code === "ECONNRESET") return 0;
    throw error;
  }
}
