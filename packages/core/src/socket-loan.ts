// A socket that changes hands: whoever serves it lends it to somebody who answers faster, and gets
// it back to go on where that one stopped. One end reads and writes it at a time.

/** What a socket is lent with. It stands between two frames, and nothing waits to be sent. */
export interface SocketLoan {
  /** The lender's file descriptor, open while the socket is lent. */
  readonly fd: number;
  /** The HTTP/2 stream to answer on. */
  readonly streamId: number;
  /** Longest payload of DATA that the peer takes, in bytes. */
  readonly frameBytesMax: number;
  /** Bytes of DATA payload after which to give the socket back: a window must be returned. */
  readonly receiveBytesMax: number;
  /** Bytes of DATA payload that the peer's windows have room for. */
  readonly sendBytesMax: number;
}

/** Where the lender is to go on. */
export interface ReturnedSocket {
  /** What came and was not answered, from the beginning of a frame. */
  readonly unread: Buffer;
  /** Bytes of DATA payload that were answered. */
  readonly receivedBytes: number;
  /** Bytes of DATA payload that were sent. */
  readonly sentBytes: number;
  /** Whether an answer could not be sent: the connection is of no more use. */
  readonly isBroken: boolean;
}

/** A loan under way. */
export interface LentSocket {
  /** Whether anything came since this was last asked. */
  wasActive(): boolean;
  /** Wants the socket back once the answers under way are sent. */
  askBack(): void;
  /** The connection is gone: what is not sent is not wanted any more. */
  abandon(): void;
}

/** Who answers on a socket that is lent to it. */
export interface SocketBorrower {
  /**
   * Takes the socket, unless it cannot.
   *
   * @param onReturned called once, and never within `borrow`
   */
  borrow(loan: SocketLoan, onReturned: (returned: ReturnedSocket) => void): LentSocket | undefined;
}
