import type { FileHandle } from "node:fs/promises";
import { CheckpointError, fromSystemError } from "./checkpoint-error.ts";

/** Fills `target` from the file; a file that ends too soon is "bad-file". */
export async function readFully(
  handle: FileHandle,
  target: Uint8Array,
  at: { offsetBytes: number; file: string; tensor?: string },
): Promise<void> {
  let done = 0;
  while (done < target.length) {
    const position = at.offsetBytes + done;
    const { bytesRead } = await handle
      .read(target, done, target.length - done, position)
      .catch((error: unknown) => {
        throw fromSystemError(error, at.file);
      });
    if (bytesRead === 0) {
      const expected = at.offsetBytes + target.length;
      const detail = `expected at least ${expected} bytes, found the end at ${position}`;
      throw new CheckpointError("bad-file", at, { detail });
    }
    done += bytesRead;
  }
}
