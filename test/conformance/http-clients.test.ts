// The HTTP API: OpenAI's client for Python, and requests that schemathesis makes of the OpenAPI
// document. Suites for Node are in test/http-clients, as they are quick.
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startThreeGateways, type ThreeGateways } from "../http-clients/three-gateways.ts";
import {
  type Command,
  installPythonClients,
  python,
  pythonFolder,
  runProgram,
} from "./install-tools.ts";

let running: ThreeGateways;

beforeAll(async () => {
  await installPythonClients();
  running = await startThreeGateways();
});
afterAll(() => running?.[Symbol.asyncDispose]());

afterEach(() => {
  const { gateway, coordinator } = running.cluster;
  for (const { lines } of [gateway, coordinator]) {
    expect(lines.filter(({ level }) => level === "error")).toEqual([]);
  }
});

function runInPython(command: Command) {
  const env = { ...running.environment, PYTHONDONTWRITEBYTECODE: "1" };
  return runProgram(command, { cwd: pythonFolder, env, timeout: 600_000 });
}

test("openai's client for Python finds what it expects", async () => {
  const suites = ["openai_client.py", "openai_structured.py"];
  const pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider", ...suites] as const;
  const { code, output } = await runInPython([python, ...pytest]);
  expect(code, output).toBe(0);
  expect(Number(/^(\d+) passed/m.exec(output)?.[1])).toBeGreaterThan(24);
}, 600_000);

test("no request that the OpenAPI document allows, or forbids, gets a 5xx or an unknown answer", async () => {
  const seed = process.env.OCTET_SEED ?? String(Math.floor(Math.random() * 1e9));
  process.stdout.write(`schemathesis' seed is ${seed} (OCTET_SEED)\n`);
  const checks = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "unsupported_method",
  ];
  const flags = ["--mode", "all", "--max-examples", "60", "--request-timeout", "60", "--no-color"];
  const { code, output } = await runInPython([
    join(dirname(python), "schemathesis"),
    "run",
    `${running.environment.OCTET_BASE_URL}/openapi.json`,
    ...["--seed", seed, "--checks", checks.join(",")],
    ...flags,
  ]);
  expect(code, output).toBe(0);
  expect(Number(/(\d+) generated/.exec(output)?.[1])).toBeGreaterThan(1_000);
}, 600_000);
