import type { Logger } from "@octet/telemetry";
import { expect, test } from "vitest";
import { DeviceWatch } from "./index.ts";

function watchWithLog() {
  const logged: string[] = [];
  const note = (event: string) => void logged.push(event);
  const log: Logger = { debug: note, info: note, warn: note, error: note, child: () => log };
  const told: string[] = [];
  const follower = {
    onLost: (detail: string) => void told.push(`lost: ${detail}`),
    onBack: () => void told.push("back"),
  };
  return { watch: new DeviceWatch(log), logged, told, follower };
}

test("a follower hears of loss and return, and everybody reads them in the log", () => {
  const { watch, logged, told, follower } = watchWithLog();
  watch.follow(follower);
  watch.report({ kind: "lost", detail: "reset" });
  expect(watch.isLost).toBe(true);
  watch.report({ kind: "recovered", attempts: 2 });
  expect(watch.isLost).toBe(false);
  expect(told).toEqual(["lost: reset", "back"]);
  expect(logged).toEqual(["gpu lost", "gpu back"]);
});

test("kernels that are compiled are told of now and then, and once all are", () => {
  const { watch, logged, told, follower } = watchWithLog();
  watch.follow(follower);
  for (let done = 1; done <= 1000; done++) watch.compiled({ done, total: 1000 });
  expect(new Set(logged)).toEqual(new Set(["gpu kernels"]));
  expect(logged.length).toBeGreaterThanOrEqual(2);
  expect(logged.length).toBeLessThan(500);
  expect(told).toEqual([]);
});

test("what an engine notes is in the log, and changes nothing", () => {
  const { watch, logged, told, follower } = watchWithLog();
  watch.follow(follower);
  watch.note("a cache file was ignored");
  expect(logged).toEqual(["gpu"]);
  expect(told).toEqual([]);
  expect(watch.isLost).toBe(false);
});

test("who follows too late hears that it is lost; who has left hears nothing", () => {
  const { watch, told, follower } = watchWithLog();
  watch.report({ kind: "lost", detail: "reset" });
  watch.follow(follower);
  watch.unfollow();
  watch.report({ kind: "recovered", attempts: 1 });
  expect(told).toEqual(["lost: reset"]);
});

test("a device that does not come back is a failure of the service", async () => {
  const { watch } = watchWithLog();
  watch.report({ kind: "lost", detail: "reset" });
  watch.report({ kind: "abandoned", detail: "no adapter" });
  expect((await watch.failed).message).toBe("no adapter");
  expect(watch.isLost).toBe(true);
});
