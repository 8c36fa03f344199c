// The GGUF container, version 3: metadata, a list of tensors, then their data, each aligned.
import assert from "node:assert/strict";

/** How a tensor is stored, of the types that this project writes. */
export type GgufTensorType = "F32" | "BF16" | "Q4_0" | "Q8_0";

/** A tensor as the header lists it. */
export interface GgufTensor {
  readonly name: string;
  readonly type: GgufTensorType;
  /** Fastest dimension first, unlike everywhere else. */
  readonly shape: readonly number[];
}

/** A metadata value, with the type that its key has by llama.cpp's convention. */
export type GgufValue =
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "u32" | "f32"; readonly value: number }
  | { readonly type: "strings"; readonly value: readonly string[] }
  | { readonly type: "f32s" | "i32s"; readonly value: readonly number[] };

/** Where everything lies in a file. */
export interface GgufLayout {
  /** Everything before the first tensor's data, padding included. */
  readonly header: Uint8Array;
  /** From the start of the file, in the order given. */
  readonly offsets: readonly number[];
  readonly sizeBytes: number;
}

const alignmentBytes = 32;

/** ggml's number for the type, and the elements and bytes of one of its blocks. */
const tensorTypes: Readonly<
  Record<GgufTensorType, { code: number; elements: number; bytes: number }>
> = {
  F32: { code: 0, elements: 1, bytes: 4 },
  Q4_0: { code: 2, elements: 32, bytes: 18 },
  Q8_0: { code: 8, elements: 32, bytes: 34 },
  BF16: { code: 30, elements: 1, bytes: 2 },
};

/** Bytes of a tensor's data, without the padding after it. */
export function ggufTensorBytes({ type, shape }: Pick<GgufTensor, "type" | "shape">): number {
  const { elements, bytes } = tensorTypes[type];
  assert(shape[0]! % elements === 0, `${shape[0]} is not a whole number of blocks of ${type}`);
  return (shape.reduce((count, size) => count * size, 1) / elements) * bytes;
}

/** Lays out a file whose tensors lie in the order given. */
export function layoutGguf(
  metadata: ReadonlyMap<string, GgufValue>,
  tensors: readonly GgufTensor[],
): GgufLayout {
  const parts: Buffer[] = [Buffer.from("GGUF"), u32(3), u64(tensors.length), u64(metadata.size)];
  for (const [key, value] of metadata) parts.push(text(key), ...valueParts(value));
  const relative: number[] = [];
  let end = 0;
  for (const tensor of tensors) {
    relative.push(end);
    parts.push(text(tensor.name), u32(tensor.shape.length), ...tensor.shape.map(u64));
    parts.push(u32(tensorTypes[tensor.type].code), u64(end));
    end = aligned(end + ggufTensorBytes(tensor));
  }
  const unpadded = Buffer.concat(parts);
  const header = Buffer.concat([unpadded], aligned(unpadded.length));
  const offsets = relative.map((offset) => header.length + offset);
  return { header, offsets, sizeBytes: header.length + end };
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / alignmentBytes) * alignmentBytes;
}

function valueParts(value: GgufValue): Buffer[] {
  switch (value.type) {
    case "u32":
      return [u32(4), u32(value.value)];
    case "f32":
      return [u32(6), f32(value.value)];
    case "string":
      return [u32(8), text(value.value)];
    case "strings":
      return [u32(9), u32(8), u64(value.value.length), ...value.value.map(text)];
    case "f32s":
      return [u32(9), u32(6), u64(value.value.length), ...value.value.map(f32)];
    case "i32s":
      return [u32(9), u32(5), u64(value.value.length), ...value.value.map(i32)];
  }
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function i32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}
