import assert from "node:assert/strict";
import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { fromSystemError } from "./checkpoint-error.ts";
import { renameDurably } from "./json-file.ts";

/**
 * Writes a file from front to back under a temporary name, hashing as it goes; `finish` puts it in
 * place. Until then the file does not exist under its own name, or is still the one before.
 */
export class HashedFileWriter {
  readonly #path: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  readonly #hash: Hash = createHash("sha256");
  #sizeBytes = 0;
  #closed = false;

  private constructor(path: string, temporary: string, handle: FileHandle) {
    this.#path = path;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  /** @param temporary where the bytes go until they are whole; overwritten if it exists */
  static async create(
    path: string,
    temporary: string = `${path}.partial`,
  ): Promise<HashedFileWriter> {
    const handle = await open(temporary, "w").catch((error: unknown) => {
      throw fromSystemError(error, temporary);
    });
    return new HashedFileWriter(path, temporary, handle);
  }

  /** Bytes written so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Appends `bytes`; they may be reused once the promise settles. */
  async write(bytes: Uint8Array): Promise<void> {
    assert(!this.#closed, "write after the end");
    try {
      let done = 0;
      const writing = async () => {
        while (done < bytes.length) {
          const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done);
          done += bytesWritten;
        }
      };
      const written = writing();
      this.#hash.update(bytes); // while the system writes
      await written;
    } catch (error) {
      throw fromSystemError(error, this.#temporary);
    }
    this.#sizeBytes += bytes.length;
  }

  /** Waits until the bytes are on the disk, and gives the file its name. */
  async finish(): Promise<{ sizeBytes: number; sha256: string }> {
    assert(!this.#closed, "finish after the end");
    try {
      await this.#handle.sync();
    } catch (error) {
      throw fromSystemError(error, this.#temporary);
    }
    await this.#close();
    await renameDurably(this.#temporary, this.#path);
    return { sizeBytes: this.#sizeBytes, sha256: this.#hash.digest("hex") };
  }

  /** Gives up: nothing remains. Does nothing after `finish`. */
  async discard(): Promise<void> {
    if (this.#closed) return;
    await this.#close();
    await rm(this.#temporary, { force: true });
  }

  async #close(): Promise<void> {
    this.#closed = true;
    await this.#handle.close();
  }
}
