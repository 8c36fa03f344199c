// Tensors of a Hugging Face directory as f32, by a reader of their own.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fromBf16Bits } from "@octet/core";

/** A tensor of a checkpoint. */
export interface SourceTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** All tensors of `dir`/model.safetensors, which must be bf16 or f32. */
export function readSourceTensors(dir: string): Map<string, SourceTensor> {
  const bytes = readFileSync(join(dir, "model.safetensors"));
  const dataStart = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString("utf8", 8, dataStart)) as Record<string, HeaderEntry>;
  const tensors = new Map<string, SourceTensor>();
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    assert(dtype === "BF16" || dtype === "F32", `${name}: ${dtype}`);
    const [begin, end] = [dataStart + offsets[0], dataStart + offsets[1]];
    const { buffer } = new Uint8Array(bytes.subarray(begin, end)); // a copy, so aligned
    const values =
      dtype === "F32"
        ? new Float32Array(buffer)
        : Float32Array.from(new Uint16Array(buffer), fromBf16Bits);
    tensors.set(name, { shape, values });
  }
  return tensors;
}
