// Tensors of a weight file, read whole into memory.
import { open } from "node:fs/promises";
import type { WeightFile } from "@octet/core";
import { KernelError } from "../kernel-error.ts";
import { type RequiredTensor, validateWeightFiles, validateWeights } from "../validate-weights.ts";

/** Bytes asked of one read; the system may return fewer. */
const readBytesMax = 1 << 30;

/**
 * The bytes of each required tensor, by name, 8-byte aligned.
 *
 * @throws {KernelError} "bad-weights" if a tensor is not as required, or the file cannot be read
 */
export async function readTensors(
  weights: WeightFile,
  required: readonly RequiredTensor[],
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  validateWeights(weights, required);
  const tensors = new Map<string, Uint8Array<ArrayBuffer>>();
  try {
    await using file = await open(weights.path, "r");
    for (const { name } of required) {
      const { offsetBytes, lengthBytes } = weights.tensors.get(name)!;
      const bytes = new Uint8Array(lengthBytes);
      for (let done = 0; done < lengthBytes; ) {
        const length = Math.min(readBytesMax, lengthBytes - done);
        const { bytesRead } = await file.read(bytes, done, length, offsetBytes + done);
        if (bytesRead === 0) {
          throw new KernelError(
            "bad-weights",
            `${weights.path}: ${name}: expected ${lengthBytes} bytes, the file ends after ${done}`,
          );
        }
        done += bytesRead;
      }
      tensors.set(name, bytes);
    }
  } catch (cause) {
    if (cause instanceof KernelError) throw cause;
    throw new KernelError("bad-weights", `${weights.path}: cannot be read`, { cause });
  }
  return tensors;
}

/** As {@link readTensors}, of several files. */
export async function readTensorsOf(
  files: readonly WeightFile[],
  required: readonly RequiredTensor[],
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const parts = validateWeightFiles(files, required);
  const read = await Promise.all(parts.map((part) => readTensors(part.weights, part.required)));
  return new Map(read.flatMap((tensors) => [...tensors]));
}

/** Bytes of all tensors together. */
export function totalBytes(tensors: ReadonlyMap<string, Uint8Array>): number {
  let total = 0;
  for (const bytes of tensors.values()) total += bytes.byteLength;
  return total;
}
