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

/** The values of a stored tensor; a q8 matrix is multiplied by its scales. */
export function readStored(weights: WeightFile, name: string): Float64Array {
  const elements = readElements(weights, name);
  const scales = weights.tensors.has(`${name}.scales`)
    ? readElements(weights, `${name}.scales`)
    : undefined;
  if (scales === undefined) return elements;
  return elements.map((quant, i) => quant * scales[Math.floor(i / 32)]!);
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
  const size = { f32: 4, f16: 2, bf16: 2, i8: 1 }[dtype]!;
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
        return view.getInt8(i);
    }
  });
}
