// Writes the two messages that carry activations with one copy of their bytes. protobuf-es copies
// a payload once for each message around it, and once more whenever its buffer must grow.
import {
  create,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  type ActivationRows,
  type ExpertCall,
  type ForwardRequest,
  ForwardRequestSchema,
  type ForwardResponse,
  ForwardResponseSchema,
} from "./gen/octet/expert/v1/expert_pb.ts";

/** Bytes of `message` on the wire, in a buffer of their own. */
export function encode<Desc extends DescMessage>(
  desc: Desc,
  message: MessageInitShape<Desc>,
): Buffer {
  const whole: MessageShape<DescMessage> = create(desc, message);
  const fast =
    desc.typeName === ForwardRequestSchema.typeName
      ? encodeRequest(whole as ForwardRequest)
      : desc.typeName === ForwardResponseSchema.typeName
        ? encodeResponse(whole as ForwardResponse)
        : undefined;
  if (fast !== undefined) return fast;
  const bytes = toBinary<DescMessage>(desc, whole);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength); // a view, not a copy
}

function encodeRequest({ kind }: ForwardRequest): Buffer | undefined {
  if (kind.case !== "call" || kind.value.input === undefined) return undefined;
  const { callId, layer, expertId, timeoutMs, input }: ExpertCall = kind.value;
  const tail = new Tail(input);
  tail.prependLength(4);
  tail.prependVarint(5, timeoutMs);
  tail.prependVarint(3, expertId);
  tail.prependVarint(2, layer);
  tail.prependVarint(1, callId);
  tail.prependLength(1);
  return tail.toBuffer();
}

function encodeResponse({ callId, result, timings }: ForwardResponse): Buffer | undefined {
  if (result.case !== "output" || timings === undefined) return undefined;
  const tail = new Tail(result.value);
  tail.prependLength(2);
  const rowsBytes = tail.length;
  tail.prependVarint(2, timings.computedUs);
  tail.prependVarint(1, timings.queuedUs);
  tail.prependLength(4, tail.length - rowsBytes);
  tail.prependVarint(1, callId);
  return tail.toBuffer();
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

  constructor({ dtype, rows, width, data }: ActivationRows) {
    this.#payload = data;
    this.prependLength(4);
    this.prependVarint(3, width);
    this.prependVarint(2, rows);
    this.prependVarint(1, dtype);
  }

  get length(): number {
    return headBytesMax - this.#start + this.#payload.length;
  }

  prependVarint(field: number, value: number | bigint): void {
    this.#prepend(value);
    this.#prepend((field << 3) | varintType);
  }

  /** Makes what follows, or its first `length` bytes, the content of `field`. */
  prependLength(field: number, length = this.length): void {
    this.#prepend(length);
    this.#prepend((field << 3) | lengthType);
  }

  toBuffer(): Buffer {
    return Buffer.concat([this.#head.subarray(this.#start), this.#payload]);
  }

  /** Seven bits a byte, lowest first; all but the last have the high bit set. */
  #prepend(value: number | bigint): void {
    let rest = BigInt(value);
    let size = 1;
    for (let above = rest >> 7n; above > 0n; above >>= 7n) size++;
    this.#start -= size;
    for (let i = 0; i < size; i++, rest >>= 7n) {
      this.#head[this.#start + i] = Number(rest & 0x7fn) | (i < size - 1 ? 0x80 : 0);
    }
  }
}
