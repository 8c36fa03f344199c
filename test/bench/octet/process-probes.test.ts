// What is read of processes from outside: their memory and their event loops.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { EventLoopWatch } from "./event-loop-watch.ts";
import { memoryOf } from "./process-memory.ts";

/** Holds up its own event loop for a while whenever it is told to. */
const busy = `
  const buffer = Buffer.alloc(64 * 1024 * 1024, 1);
  process.stdin.on("data", () => {
    const end = performance.now() + 200;
    while (performance.now() < end);
    console.log(buffer[0]);
  });
  console.log("up");
`;

test("a process that holds up its event loop is seen to, and its memory is counted", async () => {
  await using watch = await EventLoopWatch.create();
  const env = { ...process.env, ...watch.environment };
  const child = spawn(process.execPath, ["-e", busy], { env, stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  await once(lines, "line");
  const work = async () => {
    child.stdin.write("go\n");
    await once(lines, "line");
  };
  const delay = await watch.watch(child.pid!, work);
  expect(delay.maxMs).toBeGreaterThan(150);
  // Each time is watched for itself.
  const idle = await watch.watch(child.pid!, async () => {});
  expect(idle.maxMs).toBeLessThan(delay.maxMs);
  const memory = memoryOf(child.pid!);
  expect(memory.anonymousBytes).toBeGreaterThan(64e6);
  expect(memory.residentBytes).toBeGreaterThanOrEqual(memory.anonymousBytes + memory.fileBytes);
  child.stdin.end();
  await once(child, "close");
});
