// Reads GGUF as its specification says, and shares nothing with what writes it.
import assert from "node:assert/strict";

/** A tensor of a file. */
export interface ReadTensor {
  /** ggml's number: 0 F32, 2 Q4_0, 8 Q8_0, 30 BF16. */
  readonly type: number;
  /** Fastest dimension first. */
  readonly shape: readonly number[];
  /** From where the tensor begins to the end of the file. */
  readonly data: Uint8Array;
}

/** What a file says. */
export interface ReadGguf {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, unknown>;
  readonly tensors: ReadonlyMap<string, ReadTensor>;
}

/** @throws {AssertionError} if it is no GGUF file, or a tensor is not aligned */
export function readGguf(file: Uint8Array): ReadGguf {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let at = 0;
  const next = <T>(bytes: number, read: (at: number) => T): T => {
    at += bytes;
    return read(at - bytes);
  };
  const u32 = () => next(4, (i) => view.getUint32(i, true));
  const u64 = () => Number(next(8, (i) => view.getBigUint64(i, true)));
  const text = () => {
    const length = u64();
    return next(length, (i) => new TextDecoder().decode(file.subarray(i, i + length)));
  };
  const value = (type: number): unknown => {
    if (type === 4) return u32();
    if (type === 5) return next(4, (i) => view.getInt32(i, true));
    if (type === 6) return next(4, (i) => view.getFloat32(i, true));
    if (type === 8) return text();
    assert.equal(type, 9, "a value type that is known here");
    const elementType = u32();
    return Array.from({ length: u64() }, () => value(elementType));
  };
  assert.equal(
    next(4, (i) => new TextDecoder().decode(file.subarray(i, i + 4))),
    "GGUF",
  );
  const version = u32();
  const [numTensors, numValues] = [u64(), u64()];
  const metadata = new Map<string, unknown>();
  for (let i = 0; i < numValues; i++) metadata.set(text(), value(u32()));
  const listed = Array.from({ length: numTensors }, () => {
    const name = text();
    const shape = Array.from({ length: u32() }, u64);
    return { name, shape, type: u32(), offset: u64() };
  });
  const dataStart = Math.ceil(at / 32) * 32;
  const tensors = new Map<string, ReadTensor>();
  for (const { name, shape, type, offset } of listed) {
    assert.equal(offset % 32, 0, `${name} is aligned`);
    tensors.set(name, { type, shape, data: file.subarray(dataStart + offset) });
  }
  return { version, metadata, tensors };
}

/** The numbers of Q4_0 blocks, 18 bytes each. */
export function readQ4Blocks(data: Uint8Array): Float64Array {
  const values = new Float64Array((data.length / 18) * 32);
  for (let block = 0; block < data.length / 18; block++) {
    const scale = f16Value(data[block * 18]! | (data[block * 18 + 1]! << 8));
    for (let i = 0; i < 16; i++) {
      const byte = data[block * 18 + 2 + i]!;
      values[block * 32 + i] = ((byte & 15) - 8) * scale;
      values[block * 32 + 16 + i] = ((byte >> 4) - 8) * scale;
    }
  }
  return values;
}

/** The numbers of Q8_0 blocks, 34 bytes each. */
export function readQ8Blocks(data: Uint8Array): Float64Array {
  const values = new Float64Array((data.length / 34) * 32);
  for (let block = 0; block < data.length / 34; block++) {
    const scale = f16Value(data[block * 34]! | (data[block * 34 + 1]! << 8));
    for (let i = 0; i < 32; i++) {
      values[block * 32 + i] = ((data[block * 34 + 2 + i]! << 24) >> 24) * scale;
    }
  }
  return values;
}

/** The number of f16 bits that are not infinite and not NaN. */
export function f16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
}
