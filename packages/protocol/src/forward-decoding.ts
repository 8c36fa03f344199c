// Reads the two messages that carry activations, in the form that nearly all of them have: known
// fields, each at most once. Whatever else comes is left to protobuf-es, at ten times the cost.
import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import {
  type ActivationDtype,
  type ActivationRows,
  type CallTimings,
  type ExpertCall,
  type ForwardRequest,
  ForwardRequestSchema,
  type ForwardResponse,
  ForwardResponseSchema,
} from "./gen/octet/expert/v1/expert_pb.ts";

/**
 * The message in `bytes`. Its `bytes` fields share them and may start at any alignment.
 *
 * @throws {Error} protobuf-es's, if they are no such message
 */
export function decode<Desc extends DescMessage>(
  desc: Desc,
  bytes: Uint8Array,
): MessageShape<Desc> {
  const fast: unknown =
    desc.typeName === ForwardRequestSchema.typeName
      ? decodeRequest(new FieldReader(bytes))
      : desc.typeName === ForwardResponseSchema.typeName
        ? decodeResponse(new FieldReader(bytes))
        : undefined;
  return fast === undefined ? fromBinary(desc, bytes) : (fast as MessageShape<Desc>);
}

function decodeRequest(reader: FieldReader): ForwardRequest | undefined {
  if (reader.nextTag() !== lengthTag(1)) return undefined;
  const value = decodeCall(reader.message());
  if (value === undefined || !reader.isAtEnd) return undefined;
  return { $typeName: "octet.expert.v1.ForwardRequest", kind: { case: "call", value } };
}

function decodeCall(reader: FieldReader): ExpertCall | undefined {
  const call: ExpertCall = {
    $typeName: "octet.expert.v1.ExpertCall",
    callId: 0n,
    layer: 0,
    expertId: 0,
    timeoutMs: 0,
  };
  while (!reader.isAtEnd) {
    switch (reader.nextTag()) {
      case varintTag(1):
        call.callId = BigInt(reader.wholeNumber());
        break;
      case varintTag(2):
        call.layer = reader.uint32();
        break;
      case varintTag(3):
        call.expertId = reader.uint32();
        break;
      case lengthTag(4):
        call.input = decodeRows(reader.message());
        if (call.input === undefined) return undefined;
        break;
      case varintTag(5):
        call.timeoutMs = reader.uint32();
        break;
      default:
        return undefined;
    }
  }
  return reader.isReadable ? call : undefined;
}

function decodeRows(reader: FieldReader): ActivationRows | undefined {
  const rows: ActivationRows = {
    $typeName: "octet.expert.v1.ActivationRows",
    dtype: 0,
    rows: 0,
    width: 0,
    data: noBytes,
  };
  while (!reader.isAtEnd) {
    switch (reader.nextTag()) {
      case varintTag(1):
        rows.dtype = reader.uint32() as ActivationDtype;
        if (rows.dtype > 0x7fff_ffff) return undefined; // an enum is signed
        break;
      case varintTag(2):
        rows.rows = reader.uint32();
        break;
      case varintTag(3):
        rows.width = reader.uint32();
        break;
      case lengthTag(4):
        rows.data = reader.bytes();
        break;
      default:
        return undefined;
    }
  }
  return reader.isReadable ? rows : undefined;
}

function decodeResponse(reader: FieldReader): ForwardResponse | undefined {
  let callId = 0n;
  let value: ActivationRows | undefined;
  let timings: CallTimings | undefined;
  while (!reader.isAtEnd) {
    switch (reader.nextTag()) {
      case varintTag(1):
        callId = BigInt(reader.wholeNumber());
        break;
      case lengthTag(2):
        value = decodeRows(reader.message());
        if (value === undefined) return undefined;
        break;
      case lengthTag(4):
        timings = decodeTimings(reader.message());
        if (timings === undefined) return undefined;
        break;
      default:
        return undefined;
    }
  }
  if (!reader.isReadable || value === undefined || timings === undefined) return undefined;
  const result = { case: "output", value } as const;
  return { $typeName: "octet.expert.v1.ForwardResponse", callId, result, timings };
}

function decodeTimings(reader: FieldReader): CallTimings | undefined {
  const timings: CallTimings = {
    $typeName: "octet.expert.v1.CallTimings",
    queuedUs: 0n,
    computedUs: 0n,
  };
  while (!reader.isAtEnd) {
    switch (reader.nextTag()) {
      case varintTag(1):
        timings.queuedUs = BigInt(reader.wholeNumber());
        break;
      case varintTag(2):
        timings.computedUs = BigInt(reader.wholeNumber());
        break;
      default:
        return undefined;
    }
  }
  return reader.isReadable ? timings : undefined;
}

const noBytes = new Uint8Array(0);

function varintTag(field: number): number {
  return field << 3;
}

function lengthTag(field: number): number {
  return (field << 3) | 2;
}

/** Reads one message's fields. After anything unusual it is at its end, and not readable. */
class FieldReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;
  /** A bit for each field that has come. */
  #seen = 0;
  isReadable = true;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** A field's number and type in one byte; a field that came before is unusual. */
  nextTag(): number {
    const tag = this.#bytes[this.#at++]!;
    const bit = 1 << (tag >> 3);
    if (tag >= 0x80 || (this.#seen & bit) !== 0) return this.#giveUp();
    this.#seen |= bit;
    return tag;
  }

  /** A number of up to 53 bits. */
  wholeNumber(): number {
    let value = 0;
    for (let scale = 1; this.#at < this.#end && scale < 2 ** 53; scale *= 0x80) {
      const byte = this.#bytes[this.#at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value <= Number.MAX_SAFE_INTEGER ? value : this.#giveUp();
    }
    return this.#giveUp();
  }

  uint32(): number {
    const value = this.wholeNumber();
    return value <= 0xffff_ffff ? value : this.#giveUp();
  }

  bytes(): Uint8Array {
    const from = this.#skipLength();
    return this.#bytes.subarray(from, this.#at);
  }

  message(): FieldReader {
    const from = this.#skipLength();
    const reader = new FieldReader(this.#bytes, from, this.#at);
    reader.isReadable = this.isReadable;
    return reader;
  }

  /** Goes to the end of what has a length; returns where it begins. */
  #skipLength(): number {
    const length = this.wholeNumber();
    if (length > this.#end - this.#at) this.#giveUp();
    const from = this.#at;
    if (this.isReadable) this.#at += length;
    return from;
  }

  #giveUp(): 0 {
    this.#at = this.#end;
    this.isReadable = false;
    return 0;
  }
}
