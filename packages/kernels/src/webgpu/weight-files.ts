// Files of weights, held open while an engine loads.
import { type FileHandle, open } from "node:fs/promises";
import type { TensorLocation, WeightFile } from "@octet/core";
import { KernelError } from "../kernel-error.ts";

/** Opens each file at the first tensor that is asked of it. */
export class WeightFiles implements AsyncDisposable {
  readonly #files: readonly WeightFile[];
  readonly #open = new Map<WeightFile, FileHandle>();

  constructor(files: readonly WeightFile[]) {
    this.#files = files;
  }

  /**
   * The first file that has the tensor; the caller has checked that one does.
   *
   * @throws {KernelError} "bad-weights" if it cannot be opened
   */
  async find(
    tensor: string,
  ): Promise<{ weights: WeightFile; location: TensorLocation; file: FileHandle }> {
    for (const weights of this.#files) {
      const location = weights.tensors.get(tensor);
      if (location !== undefined) return { weights, location, file: await this.#handle(weights) };
    }
    throw new KernelError("bad-weights", `${tensor}: found in none of the files`);
  }

  async #handle(weights: WeightFile): Promise<FileHandle> {
    const known = this.#open.get(weights);
    if (known !== undefined) return known;
    const file = await open(weights.path, "r").catch((cause: unknown) => {
      throw new KernelError("bad-weights", `${weights.path}: cannot be read`, { cause });
    });
    this.#open.set(weights, file);
    return file;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#open.values()) await file.close();
    this.#open.clear();
  }
}
