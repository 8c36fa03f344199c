// Reads shards back the slow way, for comparing with what they were made from.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fromBf16Bits, type WeightFile } from "@octet/core";
import { f16ToF32Bits } from "../decode-weights.ts";
import type { SyntheticTensor } from "./synthetic-checkpoint.ts";

/** Every file under `dir` by relative path, with its bytes. */
export function readTree(dir: string): Map<string, Buffer> {
  const files = readdirSync(dir, { recursive: true, encoding: "utf8" }).sort();
  return new Map(
    files
      .filter((name) => statSync(join(dir, name)).isFile())
      .map((name) => [name, readFileSync(join(dir, name))]),
  );
}

/** The values of a stored tensor; those of a quantised matrix with the rows that fill its panels. */
export function readStored(weights: WeightFile, name: string): Float64Array {
  const elements = readElements(weights, name);
  const scales = weights.tensors.get(`${name}.scales`);
  if (scales === undefined) return elements;
  const [panels, blocks] = scales.shape as [number, number];
  const isQ8 = weights.tensors.get(name)!.shape[1] === blocks * 8;
  const unpack = isQ8 ? unpackQ8 : unpackQ4;
  return unpack(elements, readElements(weights, `${name}.scales`), [panels * 16, blocks * 32]);
}

type Size = readonly [rows: number, columns: number];

function unpackQ8(bytes: Float64Array, scales: Float64Array, [N, K]: Size): Float64Array {
  return Float64Array.from({ length: N * K }, (_, i) => {
    const [n, k] = [Math.floor(i / K), i % K];
    const byte =
      bytes[Math.floor(n / 16) * 16 * K + Math.floor(k / 4) * 64 + (n % 16) * 4 + (k % 4)];
    return (byte! - 128) * scales[scaleIndex(n, k, K)]!;
  });
}

function unpackQ4(bytes: Float64Array, scales: Float64Array, [N, K]: Size): Float64Array {
  return Float64Array.from({ length: N * K }, (_, i) => {
    const [n, k] = [Math.floor(i / K), i % K];
    const byte =
      bytes[Math.floor(n / 16) * 8 * K + Math.floor(k / 8) * 64 + (n % 16) * 4 + (k % 4)];
    const quant = (k % 8 < 4 ? byte! % 16 : Math.floor(byte! / 16)) - 8;
    return quant * scales[scaleIndex(n, k, K)]!;
  });
}

function scaleIndex(n: number, k: number, K: number): number {
  return (Math.floor(n / 16) * (K / 32) + Math.floor(k / 32)) * 16 + (n % 16);
}

/** The values of a source tensor. */
export function sourceValues({ dtype, data }: SyntheticTensor): Float64Array {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  return elementsOf(dtype.toLowerCase(), view);
}

function readElements(weights: WeightFile, name: string): Float64Array {
  const { dtype, offsetBytes, lengthBytes } = weights.tensors.get(name)!;
  const bytes = readFileSync(weights.path).subarray(offsetBytes, offsetBytes + lengthBytes);
  return elementsOf(dtype, new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
}

function elementsOf(dtype: string, view: DataView): Float64Array {
  const size = { f32: 4, f16: 2, bf16: 2, u8: 1 }[dtype]!;
  return Float64Array.from({ length: view.byteLength / size }, (_, i) => {
    switch (dtype) {
      case "f32":
        return view.getFloat32(i * 4, true);
      case "f16":
        return new Float32Array(
          Uint32Array.of(f16ToF32Bits(view.getUint16(i * 2, true))).buffer,
        )[0]!;
      case "bf16":
        return fromBf16Bits(view.getUint16(i * 2, true));
      default:
        return view.getUint8(i);
    }
  });
}
