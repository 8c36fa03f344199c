// Real processes: how a service ends is what its supervisor sees.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const index = fileURLToPath(new URL("./index.ts", import.meta.url));

/** A service that does nothing; `start` and `stop` are the bodies of its functions. */
function spawnService(
  options: Partial<Record<"start" | "stop" | "fail", string>> & { settings?: object },
) {
  const program = `
    import { runService, booleanSetting } from ${JSON.stringify(index)};
    import { z } from "zod";
    const settings = z.strictObject({
      OCTET_LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info"),
      OCTET_DRAIN_MS: z.coerce.number().default(0),
      OCTET_ENDS_WITH_PARENT: booleanSetting.default(false),
    });
    await runService({ name: "nothing", settings, environment: process.env,
      start: async (config, log) => {
        ${options.start ?? ""}
        setInterval(() => {}, 1000);
        log.info("ready");
        const failed = new Promise((resolve) => { ${options.fail ?? ""} });
        return { failed, stop: async () => { ${options.stop ?? ""} } };
      } });`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", program], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    env: { ...process.env, ...options.settings },
    stdio: ["pipe", "ignore", "pipe"],
  });
  const lines: { event: string }[] = [];
  const log = createInterface({ input: child.stderr });
  log.on("line", (line) => {
    if (line.startsWith("{")) lines.push(JSON.parse(line));
  });
  const ready = new Promise<void>((resolve) => {
    log.on("line", () => {
      if (lines.some((line) => line.event === "ready")) resolve();
    });
  });
  return { child, ready, lines, exited: once(child, "close").then(([code]) => code as number) };
}

test.each(["SIGTERM", "SIGINT"] as const)("%s stops it and ends it with code 0", async (name) => {
  const { child, ready, exited, lines } = spawnService({});
  await ready;
  child.kill(name);
  expect(await exited).toBe(0);
  expect(lines.map((line) => line.event)).toEqual(["ready", "stopping", "stopped"]);
});

test("it ends with its parent where it was told to, and only there", async () => {
  const told = spawnService({ settings: { OCTET_ENDS_WITH_PARENT: "true" } });
  const untold = spawnService({});
  await Promise.all([told.ready, untold.ready]);
  told.child.stdin.end();
  untold.child.stdin.end();
  expect(await told.exited).toBe(0);
  expect(untold.child.exitCode).toBeNull();
  untold.child.kill("SIGTERM");
  expect(await untold.exited).toBe(0);
});

test("a start that fails is logged and ends it with code 1", async () => {
  const { exited, lines } = spawnService({ start: `throw new Error("no shard");` });
  expect(await exited).toBe(1);
  expect(lines).toMatchObject([{ event: "start failed", detail: "no shard" }]);
});

test("a stop that fails ends it with code 1, and a second signal ends it at once", async () => {
  const failing = spawnService({ stop: `throw new Error("stuck");` });
  await failing.ready;
  failing.child.kill("SIGTERM");
  expect(await failing.exited).toBe(1);
  const hanging = spawnService({ stop: "await new Promise(() => {});" });
  await hanging.ready;
  hanging.child.kill("SIGTERM");
  while (!hanging.lines.some((line) => line.event === "stopping")) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  hanging.child.kill("SIGTERM");
  expect(await hanging.exited).toBe(1);
});

test("a service that fails by itself is logged and ends it with code 1", async () => {
  const { exited, lines } = spawnService({ fail: `resolve(new Error("no device"));` });
  expect(await exited).toBe(1);
  expect(lines).toMatchObject([
    { event: "ready" },
    { event: "service failed", detail: "no device" },
  ]);
});

test("settings that do not parse end it with code 1 before it starts", async () => {
  const { exited, lines } = spawnService({ settings: { OCTET_NONSENSE: "1" } });
  expect(await exited).toBe(1);
  expect(lines).toMatchObject([{ event: "settings refused" }]);
});
