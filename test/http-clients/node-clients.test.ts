// Suites that use OpenAI's and Mistral's clients for Node, which install themselves the first time.
import { afterAll, beforeAll, expect, test } from "vitest";
import { installNodeClients, nodeFolder, runProgram } from "../conformance/install-tools.ts";
import { startThreeGateways, type ThreeGateways } from "./three-gateways.ts";

let running: ThreeGateways;

beforeAll(async () => {
  await installNodeClients();
  running = await startThreeGateways();
}, 300_000);
afterAll(() => running?.[Symbol.asyncDispose]());

test.each(["openai", "mistral"])(
  "%s's client finds what it expects",
  async (name) => {
    const command = [process.execPath, "--test", "--test-reporter=tap", `${name}.mjs`] as const;
    const options = { cwd: nodeFolder, env: running.environment, timeout: 120_000 };
    const { code, output } = await runProgram(command, options);
    expect(code, output).toBe(0);
    expect(Number(/^# pass (\d+)$/m.exec(output)?.[1])).toBeGreaterThan(5);
    const { gateway } = running.cluster;
    expect(gateway.lines.filter(({ level }) => level === "error")).toEqual([]);
  },
  120_000,
);
