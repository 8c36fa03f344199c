// The examples in other languages, with stubs that other people's generators made.
import { OctetClient } from "@octet/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type SmallCluster, startSmallCluster } from "../cluster/small-cluster.ts";
import {
  buildGoExample,
  type Finished,
  installPythonExample,
  runProgram,
} from "./install-tools.ts";

type Flags = Readonly<Record<string, string | number>>;
const prompt = "Once upon a time";

let cluster: SmallCluster;
let examples: Record<string, (flags: Flags) => Promise<Finished>>;

beforeAll(async () => {
  const python = await installPythonExample();
  const go = await buildGoExample();
  examples = {
    python: (flags) => runProgram([python.python, python.script, ...toArgs("--", flags), prompt]),
    go: (flags) => runProgram([go, ...toArgs("-", flags), prompt]),
  };
  cluster = await startSmallCluster();
});
afterAll(() => cluster?.[Symbol.asyncDispose]());

function toArgs(dashes: string, flags: Flags): string[] {
  return Object.entries(flags).flatMap(([name, value]) => [`${dashes}${name}`, String(value)]);
}

const names = ["python", "go"];

test.each(names)("%s streams what our own client gets", async (name) => {
  using client = new OctetClient(cluster.address);
  const maxTokens = 30;
  const ours = client.generate({ text: prompt, sampling: { temperature: 0 }, stop: { maxTokens } });
  const { text, finished } = await ours.complete();
  const theirs = await examples[name]!({ address: cluster.address, "max-tokens": maxTokens });
  expect(theirs.code, theirs.stderr).toBe(0);
  expect(theirs.stdout).toBe(text);
  expect(theirs.stderr).toContain(`${finished.completionTokens} tokens`);
});

test.each(names)("%s cancels, and the coordinator stops the work", async (name) => {
  const before = cancelled();
  const flags = { address: cluster.address, "max-tokens": 240, "cancel-after": 2 };
  // A small model may be done before its client has read two deltas: then once more.
  for (let i = 0; i < 20 && cancelled() === before; i++) {
    const { code, stderr } = await examples[name]!(flags);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain("cancelled");
  }
  expect(cancelled()).toBeGreaterThan(before);
});

function cancelled(): number {
  return cluster.coordinator.lines.filter((line) => line.event === "request cancelled").length;
}

test.each(names)("%s says why a request is refused, and exits 1", async (name) => {
  const { code, stdout, stderr } = await examples[name]!({ address: cluster.address, "top-p": 7 });
  expect(code).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/invalid_?argument: .*0 < topP <= 1/i);
  expect(stderr).toContain("reason: invalid_parameter");
  expect(stderr).toContain("field: sampling.top_p");
});

test.each(names)("%s says so when nobody listens, and exits 1", async (name) => {
  const { code, stderr } = await examples[name]!({ address: "127.0.0.1:1" });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^unavailable: /i);
});
