import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";

/** A directory that exists while the file's tests run; returns a path in it, new at each call. */
export function scratchDirectory(): () => string {
  let directory: string | undefined;
  let numFiles = 0;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "octet-kernels-"));
  });
  afterAll(async () => {
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });
  return () => {
    if (directory === undefined) throw new Error("the scratch directory exists only during tests");
    numFiles += 1;
    return join(directory, `${numFiles}.weights`);
  };
}
