// A set of quantised shards as the one GGUF file that llama.cpp reads: exactly the same weights.
import assert from "node:assert/strict";
import { type FileHandle, open, rename } from "node:fs/promises";
import { openShard, readShardSet, type ShardSetIndex } from "@octet/checkpoint";
import { isQuantised, type QuantisedDtype, type WeightFile } from "@octet/core";
import { type GgufTensor, ggufTensorBytes, layoutGguf } from "./gguf-header.ts";
import { type DescribedModel, mixtralMetadata, mixtralTensors } from "./mixtral-tensors.ts";
import { panelsToRows } from "./panels-to-rows.ts";

/** Bytes of the file that {@link writeGguf} would write. */
export function ggufBytes(described: DescribedModel): number {
  return layoutGguf(mixtralMetadata(described), mixtralTensors(described)).sizeBytes;
}

/**
 * Converts a q4 or q8 set of shards.
 *
 * @param path where the file appears once it is whole
 * @param onTensor called with each tensor's name before it is written
 */
export async function writeGguf(
  shardsDir: string,
  path: string,
  onTensor: (name: string) => void = () => {},
): Promise<void> {
  const index = await readShardSet(shardsDir);
  const tensors = mixtralTensors(index);
  const layout = layoutGguf(mixtralMetadata(index), tensors);
  await using weights = await ShardReader.open(index);
  const unfinished = `${path}.partial`;
  {
    await using file = await open(unfinished, "w");
    await writeFully(file, layout.header, 0);
    for (const [i, tensor] of tensors.entries()) {
      onTensor(tensor.name);
      let at = layout.offsets[i]!;
      for (const source of tensor.sources) {
        const data = await weights.read(source, tensor, tensor.targetRow);
        assert.equal(data.length * tensor.sources.length, ggufTensorBytes(tensor), tensor.name);
        await writeFully(file, data, at);
        at += data.length;
      }
    }
    await file.truncate(layout.sizeBytes);
  }
  await rename(unfinished, path);
}

async function writeFully(file: FileHandle, data: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < data.length; ) {
    const { bytesWritten } = await file.write(data, done, data.length - done, position + done);
    done += bytesWritten;
  }
}

/** Reads tensors of any shard of a set, whichever it is in. */
class ShardReader implements AsyncDisposable {
  readonly #dtype: QuantisedDtype;
  readonly #files: readonly { readonly weights: WeightFile; readonly handle: FileHandle }[];

  private constructor(
    dtype: QuantisedDtype,
    files: readonly { readonly weights: WeightFile; readonly handle: FileHandle }[],
  ) {
    this.#dtype = dtype;
    this.#files = files;
  }

  static async open(index: ShardSetIndex): Promise<ShardReader> {
    assert(isQuantised(index.weightDtype));
    const files = [];
    for (const { dir } of [index.coordinator, ...index.experts]) {
      const { weights } = await openShard(dir, { verify: false });
      files.push({ weights, handle: await open(weights.path, "r") });
    }
    return new ShardReader(index.weightDtype, files);
  }

  /** One of our tensors in the form that a GGUF tensor has. */
  async read(
    name: string,
    { type, shape }: Pick<GgufTensor, "type" | "shape">,
    targetRow: ((row: number) => number) | undefined,
  ): Promise<Uint8Array> {
    const data = await this.#bytes(name);
    // f32 and bf16 are the same row by row in both.
    if (type === "F32" || type === "BF16") return data;
    const scales = await this.#bytes(`${name}.scales`);
    const [columns, rows] = shape;
    const panels = {
      dtype: this.#dtype,
      shape: [rows!, columns!] as const,
      quants: data,
      scales: new Uint16Array(scales.buffer, scales.byteOffset, scales.length / 2),
    };
    return panelsToRows(panels, targetRow);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#files.map(({ handle }) => handle.close()));
  }

  async #bytes(name: string): Promise<Uint8Array> {
    const file = this.#files.find(({ weights }) => weights.tensors.has(name));
    assert(file !== undefined, `${name} is in no shard of the set`);
    const { offsetBytes, lengthBytes } = file.weights.tensors.get(name)!;
    const bytes = new Uint8Array(lengthBytes);
    const { bytesRead } = await file.handle.read(bytes, 0, lengthBytes, offsetBytes);
    assert.equal(bytesRead, lengthBytes, name);
    return bytes;
  }
}
