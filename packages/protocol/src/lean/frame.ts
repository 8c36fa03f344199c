// HTTP/2 frames, as far as lean connections use them (RFC 9113, sections 4 and 6).

/** What every connection of a client begins with. */
export const clientMagic = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** Bytes before every frame's payload. */
export const frameHeadBytes = 9;

/** Longest payload of one frame that the format allows. */
export const framePayloadBytesMax = 2 ** 24 - 1;

/** Kinds of frames; others are not sent on lean connections. */
export const frameType = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
} as const;

/** Bits of a frame's flags; which of them a frame may have depends on its type. */
export const frameFlag = { endStream: 0x1, ack: 0x1, endHeaders: 0x4 } as const;

/** Why a connection or a stream ended, in HTTP/2's numbers. */
export const errorCode = {
  none: 0,
  protocol: 1,
  flowControl: 3,
  frameSize: 6,
  refusedStream: 7,
  cancel: 8,
  compression: 9,
  enhanceYourCalm: 11,
} as const;

/** Settings that lean ends announce. */
export const setting = {
  enablePush: 2,
  concurrentStreamsMax: 3,
  initialWindow: 4,
  framePayloadMax: 5,
  /** Ours, from the range for experiments: "I speak lean", with the version as its value. */
  lean: 0xf0c7,
} as const;

/** Value of {@link setting.lean} that both ends must have. */
export const leanVersion = 1;

/** What stands before a frame's payload. */
export interface FrameHead {
  readonly length: number;
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
}

/** A peer that breaks HTTP/2, or what lean connections use of it. The connection cannot go on. */
export class LeanProtocolError extends Error {
  override readonly name = "LeanProtocolError";
  readonly code: number;
  constructor(code: number, detail: string) {
    super(detail);
    this.code = code;
  }
}

/** Reads the nine bytes at `at`. */
export function readFrameHead(bytes: Uint8Array, at: number): FrameHead {
  return {
    length: (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!,
    type: bytes[at + 3]!,
    flags: bytes[at + 4]!,
    streamId: readUint32(bytes, at + 5) & 0x7fff_ffff,
  };
}

/** Writes nine bytes at `at`. */
export function writeFrameHead(into: Uint8Array, at: number, head: FrameHead): void {
  const { length, type, flags, streamId } = head;
  into[at] = length >>> 16;
  into[at + 1] = length >>> 8;
  into[at + 2] = length;
  into[at + 3] = type;
  into[at + 4] = flags;
  writeUint32(into, at + 5, streamId);
}

/** A whole frame with a payload that is copied. */
export function toFrame(
  type: number,
  {
    flags = 0,
    streamId = 0,
    payload = new Uint8Array(0),
  }: Partial<FrameHead> & {
    readonly payload?: Uint8Array;
  },
): Buffer {
  const frame = Buffer.allocUnsafe(frameHeadBytes + payload.length);
  writeFrameHead(frame, 0, { length: payload.length, type, flags, streamId });
  frame.set(payload, frameHeadBytes);
  return frame;
}

/** A frame whose payload is 32-bit numbers. */
export function toNumbersFrame(
  type: number,
  streamId: number,
  ...numbers: readonly number[]
): Buffer {
  const payload = Buffer.allocUnsafe(4 * numbers.length);
  for (const [i, number] of numbers.entries()) writeUint32(payload, 4 * i, number);
  return toFrame(type, { streamId, payload });
}

/** A SETTINGS frame. */
export function toSettingsFrame(settings: ReadonlyMap<number, number>): Buffer {
  const payload = Buffer.allocUnsafe(6 * settings.size);
  let at = 0;
  for (const [id, value] of settings) {
    payload.writeUInt16BE(id, at);
    payload.writeUInt32BE(value, at + 2);
    at += 6;
  }
  return toFrame(frameType.settings, { payload });
}

/**
 * The settings in a SETTINGS frame's payload; of one that stands twice, the last.
 *
 * @throws {LeanProtocolError} if the length is not that of whole settings
 */
export function readSettings(payload: Uint8Array): Map<number, number> {
  if (payload.length % 6 !== 0) {
    throw new LeanProtocolError(errorCode.frameSize, `settings of ${payload.length} bytes`);
  }
  const settings = new Map<number, number>();
  for (let at = 0; at < payload.length; at += 6) {
    settings.set((payload[at]! << 8) | payload[at + 1]!, readUint32(payload, at + 2));
  }
  return settings;
}

export function readUint32(bytes: Uint8Array, at: number): number {
  const low = (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  return bytes[at]! * 0x100_0000 + low;
}

export function writeUint32(into: Uint8Array, at: number, value: number): void {
  into[at] = value >>> 24;
  into[at + 1] = value >>> 16;
  into[at + 2] = value >>> 8;
  into[at + 3] = value;
}
