import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { otherLoad, parseCpuLine, parseProcessStat, readCpuTime, treeTicks } from "./other-load.ts";

test("waiting is not work, and guests are counted once", () => {
  const line = "cpu  100 20 30 1000 50 1 2 3 40 4";
  expect(parseCpuLine(line)).toEqual({ total: 1206, busy: 156 });
});

test("a process has its own time and that of children that ended, whatever its name", () => {
  const name = "(a) b) S";
  const text = `42 (${name}) R 7 1 1 0 -1 4194304 9 8 7 6 100 20 3 4 20 0 11 0 5 6 7`;
  expect(parseProcessStat(text)).toEqual({ pid: 42, parent: 7, ticks: 127 });
});

test("a tree is a process and everything below it, and nothing beside it", () => {
  const processes = [
    { pid: 1, parent: 0, ticks: 1000 },
    { pid: 5, parent: 1, ticks: 1 },
    { pid: 6, parent: 5, ticks: 2 },
    { pid: 7, parent: 6, ticks: 4 },
    { pid: 8, parent: 1, ticks: 500 },
  ];
  expect(treeTicks(processes, 5)).toBe(7);
});

test("others have what is busy and not ours", () => {
  const start = { total: 1000, busy: 100, ours: 40 };
  expect(otherLoad(start, { total: 1200, busy: 250, ours: 140 })).toBe(50 / 200);
  // Clocks of the kernel do not agree to the tick.
  expect(otherLoad(start, { total: 1200, busy: 190, ours: 140 })).toBe(0);
});

test("what a child computes is ours, while it runs and when it has ended", async () => {
  const before = readCpuTime()!;
  // Until it has computed so long, however many others do.
  const spin = "while (process.cpuUsage().user < 300_000);";
  const child = spawn(process.execPath, ["-e", `${spin} console.log(1); process.stdin.resume()`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  const during = readCpuTime()!;
  child.stdin.end();
  await once(child, "close");
  const after = readCpuTime()!;
  expect(during.ours - before.ours).toBeGreaterThan(20); // a tick is 10 ms, at most
  expect(after.ours).toBeGreaterThanOrEqual(during.ours);
});
