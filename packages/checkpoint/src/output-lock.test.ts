import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lockOutput } from "./output-lock.ts";
import { expectRefusal } from "./testing/expect-refusal.ts";
import { createTemporaryFolder } from "./testing/temporary-folder.ts";

function writeLock(holder: object | string): string {
  const dir = createTemporaryFolder();
  const text = typeof holder === "string" ? holder : JSON.stringify(holder);
  writeFileSync(join(dir, "octet.lock"), text);
  return dir;
}

test("a held lock is refused, and free again once released", async () => {
  const dir = createTemporaryFolder();
  const lock = await lockOutput(dir);
  await expectRefusal(lockOutput(dir), "locked", `process ${process.pid} on ${hostname()}`);
  await lock[Symbol.asyncDispose]();
  expect(existsSync(join(dir, "octet.lock"))).toBe(false);
  await using _again = await lockOutput(dir);
});

test("of many runs at once one gets the lock, also when a dead run held it", async () => {
  const dead = spawnSync(process.execPath, ["-e", ""]).pid;
  for (const dir of [createTemporaryFolder(), writeLock({ pid: dead, hostname: hostname() })]) {
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => lockOutput(dir)));
    expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  }
});

test("a lock whose pid now belongs to another process is stale", async () => {
  const dir = writeLock({ pid: process.pid, hostname: hostname(), startTicks: "1" });
  await using _lock = await lockOutput(dir);
});

test("a lock of another machine or one past reading is refused with what to do", async () => {
  const elsewhere = writeLock({ pid: 1, hostname: "elsewhere.example" });
  await expectRefusal(lockOutput(elsewhere), "locked", "elsewhere.example", "delete this file");
  await expectRefusal(lockOutput(writeLock("")), "locked", "unreadable", "delete this file");
});
