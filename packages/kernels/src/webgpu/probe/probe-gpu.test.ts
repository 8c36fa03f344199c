// Drivers that abort, hang or talk, played by small programs.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { baselineLimits } from "../device/limits.ts";
import { useSwiftShader } from "../device/swiftshader.ts";
import { probeGpu } from "./probe-gpu.ts";

const folder = mkdtempSync(join(tmpdir(), "octet-probe-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A child that lists two adapters, and does `describe` when it is asked for one of them. */
function childThat(name: string, describe: string): string {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(
    path,
    `const [question, backend, name] = process.argv.slice(2);
    const say = (answer) => console.log(JSON.stringify(answer));
    const names = ["Good", "Bad"].map((name) => ({ backend: "vulkan", name }));
    if (question === "list") say({ adapters: names });
    else if (name === "Good") say({ adapter: { name, backend } });
    else { ${describe} }`,
  );
  return path;
}

test.each([
  ["aborts", "process.abort();", "Bad (vulkan): the process was ended by SIGABRT"],
  ["exits", "process.exit(3);", "Bad (vulkan): the process ended with code 3"],
  ["hangs", "setInterval(() => {}, 1000);", "Bad (vulkan): no answer within 2000 ms"],
  ["says nothing", "", "Bad (vulkan): expected a line of JSON"],
  ["fails", 'say({ failure: "no device" });', "Bad (vulkan): no device"],
])("a driver that %s is reported, and the others are described", async (name, code, said) => {
  const probe = await probeGpu({ child: childThat(name, code), timeoutMs: 2_000 });
  expect(probe.adapters).toEqual([{ name: "Good", backend: "vulkan" }]);
  expect(probe.failures).toHaveLength(1);
  expect(probe.failures[0]).toContain(said);
});

test("what drivers write does not hide the answer, and is kept once", async () => {
  const talk = `console.error("warning\\n    at somewhere"); console.log("hello"); say({
    adapter: { name, backend } });`;
  const probe = await probeGpu({ child: childThat("talks", talk) });
  expect(probe.adapters.map(({ name }) => name)).toEqual(["Good", "Bad"]);
  expect(probe.messages).toEqual(["warning"]);
});

test("SwiftShader is found, runs the shader, and says that it is software", async () => {
  const environment = { ...process.env };
  useSwiftShader(environment);
  const { adapters, failures } = await probeGpu({ environment });
  expect(failures).toEqual([]);
  expect(adapters).toHaveLength(1);
  expect(adapters[0]).toMatchObject({
    backend: "vulkan",
    isSoftware: true,
    variants: ["subgroups"],
  });
  expect(adapters[0]!.problem).toBeUndefined();
  for (const [name, least] of Object.entries(baselineLimits)) {
    expect(adapters[0]!.limits[name], name).toBeGreaterThanOrEqual(least);
  }
});

test("where no driver is, there is no adapter and the loader's words are kept", async () => {
  const environment = { ...process.env, VK_DRIVER_FILES: "/nonexistent/icd.json" };
  const probe = await probeGpu({ environment });
  expect(probe.adapters).toEqual([]);
  expect([...probe.messages, ...probe.failures].join("\n")).not.toBe("");
});
