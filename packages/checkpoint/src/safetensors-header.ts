// The safetensors container: an 8-byte length, a JSON header, then the tensors without gaps.
import assert from "node:assert/strict";
import type { FileHandle } from "node:fs/promises";
import { type StoredDtype, type TensorLocation, tensorAlignmentBytes } from "@octet/core";
import { CheckpointError } from "./checkpoint-error.ts";
import { readFully } from "./read-fully.ts";

/** A tensor by name, as a header lists it. */
export interface NamedTensor {
  readonly name: string;
  readonly dtype: StoredDtype;
  readonly shape: readonly number[];
}

/** A header that has been checked against the size of its file. */
export interface SafetensorsHeader {
  /** The length prefix and the JSON, as they are in the file. */
  readonly bytes: Uint8Array;
  readonly sizeBytes: number;
  readonly tensors: ReadonlyMap<string, TensorLocation>;
}

/** Bytes of one element. */
export const elementBytes: Readonly<Record<StoredDtype, number>> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  u8: 1,
};

/** The safetensors name of a dtype. */
export const safetensorsDtype: Readonly<Record<StoredDtype, string>> = {
  f32: "F32",
  f16: "F16",
  bf16: "BF16",
  u8: "U8",
};

/** Longest header the reference implementation accepts, too. */
const headerBytesMax = 100_000_000;
const lengthPrefixBytes = 8;

/** The number of elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}

const paddingPrefix = "octet.padding.";

/** Whether a tensor is there only so that the next one is aligned: see {@link alignTensors}. */
export function isPadding(name: string): boolean {
  return name.startsWith(paddingPrefix);
}

/**
 * The tensors, in the order given, with padding among them so that in a file whose data starts
 * aligned each starts on a multiple of `tensorAlignmentBytes`. Padding is a tensor, too, as the
 * format allows no gaps; where all sizes are multiples, as in Mixtral 8x7B, there is none.
 */
export function alignTensors(tensors: readonly NamedTensor[]): NamedTensor[] {
  const aligned: NamedTensor[] = [];
  let paddings = 0;
  let end = 0;
  for (const tensor of tensors) {
    const gap = -end & (tensorAlignmentBytes - 1);
    if (gap > 0) {
      aligned.push({ name: `${paddingPrefix}${paddings}`, dtype: "u8", shape: [gap] });
      paddings += 1;
    }
    aligned.push(tensor);
    end = storedBytes(tensor) & (tensorAlignmentBytes - 1); // what came before is a multiple
  }
  return aligned;
}

function storedBytes({ dtype, shape }: Pick<NamedTensor, "dtype" | "shape">): number {
  return elementCount(shape) * elementBytes[dtype];
}

/** Lays tensors out one after the other, in the order given, data starting 64-byte aligned. */
export function layoutSafetensors(tensors: readonly NamedTensor[]): SafetensorsHeader {
  const entries: Record<string, unknown> = {};
  let end = 0;
  for (const { name, dtype, shape } of tensors) {
    const begin = end;
    end += storedBytes({ dtype, shape });
    assert(!(name in entries), `tensor ${name} twice`);
    entries[name] = { dtype: safetensorsDtype[dtype], shape, data_offsets: [begin, end] };
  }
  const json = Buffer.from(JSON.stringify(entries));
  const unpadded = lengthPrefixBytes + json.length;
  const dataStart = Math.ceil(unpadded / tensorAlignmentBytes) * tensorAlignmentBytes;
  const bytes = Buffer.alloc(dataStart, " ");
  bytes.writeBigUInt64LE(BigInt(dataStart - lengthPrefixBytes));
  bytes.set(json, lengthPrefixBytes);
  return parse(bytes, "layout", dataStart + end);
}

/**
 * Reads and checks the header of an open file.
 *
 * @throws {CheckpointError} "bad-file" for a header that is no header, and for tensors that
 *   overlap, leave gaps, or do not end where the file ends; "bad-tensor" for an unknown dtype or a
 *   length that is not shape × dtype
 */
export async function readSafetensorsHeader(
  handle: FileHandle,
  file: string,
): Promise<SafetensorsHeader> {
  const { size } = await handle.stat();
  if (size < lengthPrefixBytes) {
    refuseFile(file, `expected a safetensors file, found ${size} bytes; is it truncated?`);
  }
  const prefix = new DataView(new ArrayBuffer(lengthPrefixBytes));
  await readFully(handle, new Uint8Array(prefix.buffer), { offsetBytes: 0, file });
  const length = Number(prefix.getBigUint64(0, true));
  if (length > Math.min(headerBytesMax, size - lengthPrefixBytes)) {
    refuseFile(
      file,
      `expected a header of at most ${Math.min(headerBytesMax, size - lengthPrefixBytes)} bytes, ` +
        `found a length of ${length}; is it a safetensors file, and whole?`,
    );
  }
  const bytes = new Uint8Array(lengthPrefixBytes + length);
  await readFully(handle, bytes, { offsetBytes: 0, file });
  return parse(bytes, file, size);
}

function refuseFile(file: string, detail: string, cause?: unknown): never {
  throw new CheckpointError("bad-file", { file }, { detail, cause });
}

function parse(bytes: Uint8Array, file: string, sizeBytes: number): SafetensorsHeader {
  const entries = Object.entries(parseJsonObject(bytes, file))
    .filter(([name]) => name !== "__metadata__")
    .map(([name, entry]) => parseEntry(name, entry, { file, dataStart: bytes.length }))
    .sort((a, b) => a.location.offsetBytes - b.location.offsetBytes);
  let end = bytes.length;
  let previous = "the header";
  for (const { name, location } of entries) {
    if (location.offsetBytes !== end) {
      refuseFile(
        file,
        `expected tensor ${name} right after ${previous}, at byte ${end}, ` +
          `found it at byte ${location.offsetBytes}`,
      );
    }
    end += location.lengthBytes;
    previous = name;
  }
  if (end !== sizeBytes) {
    const cut = end > sizeBytes ? "; the file is truncated" : "";
    refuseFile(file, `expected ${end} bytes by its header, found ${sizeBytes}${cut}`);
  }
  const tensors = new Map(entries.map(({ name, location }) => [name, location]));
  return { bytes, sizeBytes, tensors };
}

function parseJsonObject(bytes: Uint8Array, file: string): object {
  let value: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true });
    value = JSON.parse(text.decode(bytes.subarray(lengthPrefixBytes)));
  } catch (cause) {
    refuseFile(file, "expected a header of JSON, found something else", cause);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  refuseFile(file, "expected a header that is a JSON object, found another value");
}

function parseEntry(
  name: string,
  entry: unknown,
  { file, dataStart }: { file: string; dataStart: number },
): { name: string; location: TensorLocation } {
  const refuse = (detail: string): never => {
    throw new CheckpointError("bad-tensor", { file, tensor: name }, { detail });
  };
  const fields = new Map(typeof entry === "object" && entry !== null ? Object.entries(entry) : []);
  const dtype = dtypeOf(fields.get("dtype"));
  if (dtype === undefined) {
    const known = Object.values(safetensorsDtype).join(", ");
    refuse(`expected dtype ${known}, found ${JSON.stringify(fields.get("dtype"))}`);
  }
  const shape: unknown = fields.get("shape");
  const offsets: unknown = fields.get("data_offsets");
  if (!isSizes(shape)) return refuse(`expected a shape, found ${JSON.stringify(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2) {
    return refuse(`expected two data_offsets, found ${JSON.stringify(offsets)}`);
  }
  const [begin, end] = [offsets[0]!, offsets[1]!];
  const lengthBytes = storedBytes({ dtype: dtype!, shape });
  if (end - begin !== lengthBytes) {
    refuse(
      `expected ${lengthBytes} bytes for ${safetensorsDtype[dtype!]} [${shape.join(", ")}], ` +
        `found ${end - begin} by its data_offsets`,
    );
  }
  return { name, location: { dtype: dtype!, shape, offsetBytes: dataStart + begin, lengthBytes } };
}

function dtypeOf(value: unknown): StoredDtype | undefined {
  const all: readonly StoredDtype[] = ["f32", "f16", "bf16", "u8"];
  return all.find((dtype) => safetensorsDtype[dtype] === value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
