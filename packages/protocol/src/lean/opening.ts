// How two ends find out that both are ours: each says so in its first HTTP/2 settings, which anyone
// else ignores, as RFC 9113 tells them to (section 6.5.2).
import { flowControlWindowBytes } from "../channel-options.ts";
import {
  clientMagic,
  frameHeadBytes,
  framePayloadBytesMax,
  frameType,
  leanVersion,
  readFrameHead,
  readSettings,
  setting,
  toSettingsFrame,
} from "./frame.ts";

/** Windows and frames of a peer that says nothing of them. */
export const standardWindowBytes = 65_535;
export const standardFrameBytes = 16_384;

/** Longest DATA that we take: a window must be given back several times before it is used up. */
const dataBytesMax = 1024 * 1024;

/** Calls that a connection may carry over its life: a coordinator makes two. */
export const leanStreamsMax = 100;

/** What an end of ours says first. */
export function writeOpening(isServer: boolean): Buffer {
  const settings = toSettingsFrame(
    new Map([
      [setting.lean, leanVersion],
      isServer ? [setting.concurrentStreamsMax, leanStreamsMax] : [setting.enablePush, 0],
      [setting.initialWindow, flowControlWindowBytes],
      [setting.framePayloadMax, dataBytesMax],
    ]),
  );
  return isServer ? settings : Buffer.concat([clientMagic, settings]);
}

/** What a peer's first bytes say. */
export type Opening =
  /** More must come before it can be told. */
  | { readonly kind: "incomplete" }
  /** Somebody who does not speak lean, or not our version of it. */
  | { readonly kind: "other" }
  /** A lean end; its settings take up the first `length` bytes. */
  | {
      readonly kind: "lean";
      readonly length: number;
      readonly settings: ReadonlyMap<number, number>;
    };

/** Settings frames longer than this are nobody's of ours: it is room for forty settings. */
const settingsBytesMax = 240;

/** Puts a peer's first bytes together until they say what it speaks. */
export class OpeningReader {
  readonly #isClient: boolean;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(isClient: boolean) {
    this.#isClient = isClient;
  }

  /** Everything that was pushed. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** @param bytes are copied */
  push(bytes: Buffer): Opening {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    return readOpening(this.#bytes, this.#isClient);
  }
}

function readOpening(bytes: Buffer, isClient: boolean): Opening {
  const magic = isClient ? clientMagic : Buffer.alloc(0);
  const known = Math.min(bytes.length, magic.length);
  if (!bytes.subarray(0, known).equals(magic.subarray(0, known))) return { kind: "other" };
  const payloadAt = magic.length + frameHeadBytes;
  if (bytes.length < payloadAt) return { kind: "incomplete" };
  const { type, flags, length, streamId } = readFrameHead(bytes, magic.length);
  if (type !== frameType.settings || flags !== 0 || streamId !== 0) return { kind: "other" };
  if (length > settingsBytesMax || length % 6 !== 0) return { kind: "other" };
  if (bytes.length < payloadAt + length) return { kind: "incomplete" };
  const settings = readSettings(bytes.subarray(payloadAt, payloadAt + length));
  if (settings.get(setting.lean) !== leanVersion || !areInRange(settings)) return { kind: "other" };
  return { kind: "lean", length: payloadAt + length, settings };
}

/** Whether HTTP/2 allows the values; a peer with frames of one byte would keep us busy. */
function areInRange(settings: ReadonlyMap<number, number>): boolean {
  const window = settings.get(setting.initialWindow) ?? standardWindowBytes;
  const frame = settings.get(setting.framePayloadMax) ?? standardFrameBytes;
  return window < 2 ** 31 && frame >= standardFrameBytes && frame <= framePayloadBytesMax;
}
