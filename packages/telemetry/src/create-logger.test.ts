import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { createLogger, type LogLevel, logLevels } from "./index.ts";

function capture(level?: LogLevel) {
  const lines: Record<string, unknown>[] = [];
  const out = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const log = createLogger({ fields: { service: "coordinator" }, out, ...(level && { level }) });
  return { log, lines };
}

test("an event is one JSON object with its name, level, time and fields", () => {
  const { log, lines } = capture();
  log.info("worker ready", { workerId: "expert-3", loadedMs: 12 });
  expect(lines).toEqual([
    {
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      service: "coordinator",
      workerId: "expert-3",
      loadedMs: 12,
      event: "worker ready",
    },
  ]);
});

test("a child adds its fields to every event and leaves its parent alone", () => {
  const { log, lines } = capture();
  log.child({ workerId: "a" }).child({ layer: 2 }).warn("call late");
  log.warn("call late");
  expect(lines[0]).toMatchObject({ service: "coordinator", workerId: "a", layer: 2 });
  expect(lines[1]).not.toHaveProperty("workerId");
});

test.each(logLevels)("at level %s nothing less severe is written", (level) => {
  const { log, lines } = capture(level);
  for (const each of logLevels) log[each]("probe", { errorCode: "internal" });
  expect(lines.map((line) => line.level)).toEqual(logLevels.slice(logLevels.indexOf(level)));
});

test("a cause is written with its own causes", () => {
  const { log, lines } = capture();
  const cause = new Error("no answer", { cause: new Error("ECONNREFUSED") });
  log.error("call failed", { errorCode: "unavailable", cause });
  expect(lines[0]).toMatchObject({ cause: "no answer: ECONNREFUSED", errorCode: "unavailable" });
});

test("events go to standard error, even when the process ends at once", () => {
  const script = `
    import { createLogger } from ${JSON.stringify(import.meta.resolve("./index.ts"))};
    createLogger().info("last words");
    process.exit(0);`;
  const args = ["--input-type=module", "--eval", script];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(stdout).toBe("");
  expect(JSON.parse(stderr)).toMatchObject({ event: "last words", level: "info" });
});
