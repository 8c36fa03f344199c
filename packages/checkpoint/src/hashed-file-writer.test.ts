import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fromSystemError } from "./checkpoint-error.ts";
import { HashedFileWriter } from "./hashed-file-writer.ts";
import { expectRefusal } from "./testing/expect-refusal.ts";
import { createTemporaryFolder } from "./testing/temporary-folder.ts";

test("a file has its name only once it is whole, and then its hash", async () => {
  const path = join(createTemporaryFolder(), "x");
  const writer = await HashedFileWriter.create(path);
  await writer.write(Buffer.from("one "));
  await writer.write(Buffer.from("two"));
  expect(existsSync(path)).toBe(false);
  const { sizeBytes, sha256 } = await writer.finish();
  expect(readFileSync(path, "utf8")).toBe("one two");
  expect(sizeBytes).toBe(7);
  expect(sha256).toBe(createHash("sha256").update("one two").digest("hex"));
});

test("a file that is given up leaves nothing behind", async () => {
  const dir = createTemporaryFolder();
  const writer = await HashedFileWriter.create(join(dir, "x"));
  await writer.write(Buffer.from("one"));
  await writer.discard();
  expect(readdirSync(dir)).toEqual([]);
});

test("a full disk is named as such, with what to do", async () => {
  const error = Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
  const refusal = Promise.reject(fromSystemError(error, "x"));
  await expectRefusal(refusal, "disk-full", "x: ", "free some space");
  if (!existsSync("/dev/full")) return; // a device of Linux that is always full
  const writer = await HashedFileWriter.create("/tmp/never", "/dev/full");
  await expectRefusal(writer.write(Buffer.alloc(10)), "disk-full", "/dev/full");
});

test("a folder that is not there is named", async () => {
  const path = join(createTemporaryFolder(), "none", "x");
  await expectRefusal(HashedFileWriter.create(path), "missing-file", path);
});
