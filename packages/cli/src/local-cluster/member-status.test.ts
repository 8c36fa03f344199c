import { expect, test } from "vitest";
import { afterLogLine, type MemberStatus } from "./member-status.ts";
import { parseLogLine } from "./service-process.ts";

const starting: MemberStatus = {
  name: "expert 3",
  state: "starting",
  pid: 7,
  address: "127.0.0.1:1",
  doneBytes: 0,
  totalBytes: 0,
  device: undefined,
  weightBytes: undefined,
  residentBytes: undefined,
  uptimeMs: undefined,
  restarts: 0,
};

function after(status: MemberStatus, ...lines: object[]): MemberStatus {
  return lines.reduce(
    (now: MemberStatus, line) =>
      afterLogLine(now, parseLogLine(JSON.stringify({ level: "info", ...line }))!),
    status,
  );
}

test("a member's log tells how far it is", () => {
  const loading = after(starting, { event: "shard loading", doneBytes: 5, totalBytes: 9 });
  expect(loading).toMatchObject({ state: "loading", doneBytes: 5, totalBytes: 9 });
  const waiting = after(loading, { event: "shard loaded", device: "cpu avx2", weightBytes: 9 });
  expect(waiting).toMatchObject({ state: "waiting", device: "cpu avx2", weightBytes: 9 });
  const ready = after(waiting, { event: "ready", residentBytes: 20, uptimeMs: 3 });
  expect(ready).toMatchObject({ state: "ready", device: "cpu avx2", residentBytes: 20 });
});

test("events of no interest change nothing, and facts of a wrong type are left out", () => {
  expect(after(starting, { event: "coordinator connected", peer: "x" })).toBe(starting);
  const odd = after(starting, { event: "shard loading", doneBytes: "many" });
  expect(odd).toMatchObject({ state: "loading", doneBytes: 0 });
});

test("what is not a log line of ours is no log line", () => {
  for (const text of ["", "Warning: x", "{", "[1]", "{}", '{"event":"x"}', '{"level":"info"}']) {
    expect(parseLogLine(text)).toBeUndefined();
  }
  expect(parseLogLine('{"level":"warn","event":"not ready","away":["expert 1"]}')).toEqual({
    level: "warn",
    event: "not ready",
    fields: { away: ["expert 1"] },
  });
});
