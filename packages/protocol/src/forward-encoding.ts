// Writes the two messages that carry activations without touching their bytes: they come last in
// both, so a message is a short head and then the payload as it is.
import {
  create,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  type ActivationRowsSchema,
  ForwardRequestSchema,
  ForwardResponseSchema,
} from "./gen/octet/expert/v1/expert_pb.ts";

/** A message on the wire, in two parts that follow each other. */
export interface MessageParts {
  readonly head: Uint8Array;
  /** The activations' own bytes, not copied; empty in most messages. */
  readonly payload: Uint8Array;
}

const nothing = new Uint8Array(0);

/** What of `message` goes over the wire. */
export function encodeParts<Desc extends DescMessage>(
  desc: Desc,
  message: MessageInitShape<Desc>,
): MessageParts {
  const unknown: unknown = message;
  const fast =
    desc.typeName === ForwardRequestSchema.typeName
      ? encodeRequest(unknown as RequestInit)
      : desc.typeName === ForwardResponseSchema.typeName
        ? encodeResponse(unknown as ResponseInit)
        : undefined;
  if (fast !== undefined) return fast;
  const whole: MessageShape<DescMessage> = create(desc, message);
  return { head: toBinary<DescMessage>(desc, whole), payload: nothing };
}

/** Bytes of `message` on the wire, in a buffer of their own. */
export function encode<Desc extends DescMessage>(
  desc: Desc,
  message: MessageInitShape<Desc>,
): Buffer {
  const { head, payload } = encodeParts(desc, message);
  if (payload.length > 0) return Buffer.concat([head, payload]);
  return Buffer.from(head.buffer, head.byteOffset, head.byteLength); // a view, not a copy
}

type RequestInit = MessageInitShape<typeof ForwardRequestSchema>;
type ResponseInit = MessageInitShape<typeof ForwardResponseSchema>;
type RowsInit = MessageInitShape<typeof ActivationRowsSchema>;

function encodeRequest({ kind }: RequestInit): MessageParts | undefined {
  if (kind?.case !== "call" || kind.value.input === undefined) return undefined;
  const { callId, layer, expertId, timeoutMs, input } = kind.value;
  const tail = new Tail(input);
  tail.prependLength(4);
  tail.prependVarint(5, timeoutMs);
  tail.prependVarint(3, expertId);
  tail.prependVarint(2, layer);
  tail.prependVarint(1, callId);
  tail.prependLength(1);
  return tail.toParts();
}

function encodeResponse({ callId, result, timings }: ResponseInit): MessageParts | undefined {
  if (result?.case !== "output" || timings === undefined) return undefined;
  const tail = new Tail(result.value);
  tail.prependLength(2);
  const rowsBytes = tail.length;
  tail.prependVarint(2, timings.computedUs);
  tail.prependVarint(1, timings.queuedUs);
  tail.prependLength(4, tail.length - rowsBytes);
  tail.prependVarint(1, callId);
  return tail.toParts();
}

/** Longest head of either message: ten fields of a tag and at most ten bytes each. */
const headBytesMax = 110;
const varintType = 0;
const lengthType = 2;

/** A message written from its end: each length is known when it is its turn. */
class Tail {
  readonly #payload: Uint8Array;
  readonly #head = Buffer.allocUnsafe(headBytesMax);
  #start = headBytesMax;

  constructor({ dtype, rows, width, data = nothing }: RowsInit) {
    this.#payload = data;
    this.prependLength(4);
    this.prependVarint(3, width);
    this.prependVarint(2, rows);
    this.prependVarint(1, dtype);
  }

  get length(): number {
    return headBytesMax - this.#start + this.#payload.length;
  }

  prependVarint(field: number, value: number | bigint = 0): void {
    this.#prepend(value);
    this.#prepend((field << 3) | varintType);
  }

  /** Makes what follows, or its first `length` bytes, the content of `field`. */
  prependLength(field: number, length = this.length): void {
    this.#prepend(length);
    this.#prepend((field << 3) | lengthType);
  }

  toParts(): MessageParts {
    return { head: this.#head.subarray(this.#start), payload: this.#payload };
  }

  #prepend(value: number | bigint): void {
    if (value <= Number.MAX_SAFE_INTEGER) this.#prependNumber(Number(value));
    else this.#prependBigint(BigInt(value));
  }

  /** Seven bits a byte, lowest first; all but the last have the high bit set. */
  #prependNumber(value: number): void {
    let size = 1;
    for (let above = value; above >= 0x80; above /= 0x80) size++;
    this.#start -= size;
    let rest = value;
    let at = this.#start;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#head[at++] = (rest % 0x80) | 0x80;
    this.#head[at] = rest;
  }

  #prependBigint(value: bigint): void {
    let size = 1;
    for (let above = value >> 7n; above > 0n; above >>= 7n) size++;
    this.#start -= size;
    let rest = value;
    for (let i = 0; i < size; i++, rest >>= 7n) {
      this.#head[this.#start + i] = Number(rest & 0x7fn) | (i < size - 1 ? 0x80 : 0);
    }
  }
}
