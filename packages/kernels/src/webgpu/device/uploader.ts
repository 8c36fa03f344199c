// Bytes of a file to a buffer of the device, in pieces, so that memory stays small.
import type { FileHandle } from "node:fs/promises";
import { KernelError } from "../../kernel-error.ts";
import type { GpuDevice } from "./gpu-device.ts";

/** Dawn stages writes up to this in a ring of its own. */
const pieceBytesMax = 4 * 1024 * 1024;
/** Written before the device is awaited: what may be staged at a time. */
const stagedBytesMax = 64 * 1024 * 1024;

/** Rows of bytes in a file. */
export interface FileRows {
  readonly file: FileHandle;
  /** For messages: the file's path and the tensor's name. */
  readonly what: string;
  readonly offsetBytes: number;
  readonly rows: number;
  readonly rowBytes: number;
}

/** Where they go; rows may lie further apart there, with zeros between. */
export interface BufferRows {
  readonly buffer: GPUBuffer;
  /** 0 unless told. */
  readonly offsetBytes?: number;
  readonly rowBytes: number;
}

/** Uploads one tensor after another. */
export class Uploader {
  readonly #device: GpuDevice;
  readonly #piece = new Uint8Array(pieceBytesMax);
  #stagedBytes = 0;

  constructor(device: GpuDevice) {
    this.#device = device;
  }

  /**
   * @throws {KernelError} "bad-weights" if the file cannot be read or ends too early; "device-lost"
   */
  async upload(from: FileRows, to: BufferRows): Promise<void> {
    const { buffer, offsetBytes = 0 } = to;
    if (from.rowBytes === to.rowBytes) {
      const bytes = from.rows * from.rowBytes;
      for (let done = 0; done < bytes; done += pieceBytesMax) {
        const length = Math.min(pieceBytesMax, bytes - done);
        await readFully(from, from.offsetBytes + done, this.#piece.subarray(0, length));
        await this.#write(buffer, offsetBytes + done, length);
      }
      return;
    }
    for (let row = 0; row < from.rows; row++) {
      const into = this.#piece.subarray(0, from.rowBytes);
      await readFully(from, from.offsetBytes + row * from.rowBytes, into);
      await this.#write(buffer, offsetBytes + row * to.rowBytes, from.rowBytes);
    }
  }

  /** Resolves when everything has arrived. */
  async finish(): Promise<void> {
    try {
      await this.#device.settled(this.#device.raw.queue.onSubmittedWorkDone());
    } catch (error) {
      throw this.#device.explain(error);
    }
    this.#device.assertSound();
    this.#stagedBytes = 0;
  }

  async #write(buffer: GPUBuffer, offsetBytes: number, length: number): Promise<void> {
    // Whole words only; what is beyond the last byte is between rows, or padding, and stays zero.
    const padded = Math.ceil(length / 4) * 4;
    this.#piece.fill(0, length, padded);
    this.#device.raw.queue.writeBuffer(buffer, offsetBytes, this.#piece, 0, padded);
    this.#stagedBytes += padded;
    if (this.#stagedBytes >= stagedBytesMax) await this.finish();
  }
}

async function readFully(from: FileRows, offsetBytes: number, into: Uint8Array): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await from.file
      .read(into, done, into.length - done, offsetBytes + done)
      .catch((cause: unknown) => {
        throw new KernelError("bad-weights", `${from.what}: cannot be read`, { cause });
      });
    if (bytesRead === 0) {
      const expected = `expected bytes up to ${offsetBytes + into.length}`;
      const found = `the file ends at ${offsetBytes + done}`;
      throw new KernelError("bad-weights", `${from.what}: ${expected}, ${found}`);
    }
    done += bytesRead;
  }
}
