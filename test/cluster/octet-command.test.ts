import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { findFreePorts } from "@octet/cli/free-ports";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runOctet, startOctet } from "./octet-command.ts";
import { goldenModelDir } from "./service-cluster.ts";

const randomCheckpoint = fileURLToPath(
  new URL("../../tools/random-checkpoint.ts", import.meta.url),
);
const model = goldenModelDir("plain");
let cacheDir: string;

beforeAll(() => {
  cacheDir = mkdtempSync(join(tmpdir(), "octet-cache-"));
});
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

/** Whether a process still runs; signal 0 only asks. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Process ids that standard error named. */
function pidsIn(stderr: string): number[] {
  return Array.from(stderr.matchAll(/\bpid (\d+)/g), (match) => Number(match[1]));
}

test("run answers on standard output alone, exits 0 and leaves no process behind", async () => {
  const args = ["run", "Once upon", "--model", model, "--max-tokens", "12", "--ignore-eos"];
  const { code, stdout, stderr } = await runOctet(args, { cacheDir });
  expect(code, stderr).toBe(0);
  expect(stdout.startsWith("Once upon")).toBe(true);
  expect(stdout.length).toBeGreaterThan("Once upon\n".length);
  const pids = pidsIn(stderr);
  expect(pids).toHaveLength(9);
  expect(pids.filter(isAlive)).toEqual([]);
}, 60_000);

test("run --json prints one object with token ids, timings and who answered", async () => {
  const args = ["run", "Once upon", "--model", model, "--max-tokens", "12", "--ignore-eos"];
  const { code, stdout, stderr } = await runOctet([...args, "--json"], { cacheDir });
  expect(code, stderr).toBe(0);
  const answer = JSON.parse(stdout);
  expect(answer.tokenIds).toHaveLength(12);
  expect(answer.promptTokenIds[0]).toBe(1);
  expect(answer.finishReason).toBe("length");
  expect(answer.timings.prefillMs).toBeGreaterThan(0);
  for (const use of answer.experts) expect(use.workerId).toBe(`expert-${use.expertId}`);
  const rows = answer.experts.reduce((sum: number, use: { rows: number }) => sum + use.rows, 0);
  // Every token but the last went through two layers and two experts in each.
  expect(rows).toBe((answer.promptTokenIds.length + 11) * 2 * 2);
}, 60_000);

test("up serves until it is told to stop; generate and chat talk to it", async () => {
  const [port] = await findFreePorts(1);
  const address = `127.0.0.1:${port}`;
  const ports = ["--port", String(port), "--http-port", "0"];
  const up = startOctet(["up", "--model", model, ...ports, "--json"], cacheDir);
  let upStderr = "";
  up.stderr.on("data", (chunk) => {
    upStderr += String(chunk);
  });
  try {
    const [line] = await once(createInterface({ input: up.stdout }), "line");
    const cluster = JSON.parse(line);
    expect(cluster.members).toHaveLength(10);
    const computing = cluster.members.filter((m: { name: string }) => m.name !== "gateway");
    expect(computing.every((m: { device: string }) => m.device.length > 0)).toBe(true);

    const curl = /^ {2}(curl (?:.*\\\n)*.*)$/m.exec(upStderr)![1]!;
    const answered = JSON.parse(execFileSync("sh", ["-c", curl], { stdio: "pipe" }).toString());
    expect(answered.choices[0].message.role).toBe("assistant");
    expect(curl).toContain(cluster.http);

    const greedy = ["--address", address, "--temperature", "0", "--max-tokens", "8"];
    const first = await runOctet(["generate", "Once upon", ...greedy], { cacheDir });
    const again = await runOctet(["generate", ...greedy], { cacheDir, input: "Once upon\n" });
    expect(first.code, first.stderr).toBe(0);
    expect(again.stdout).toBe(first.stdout);

    const chat = await runOctet(["chat", ...greedy], {
      cacheDir,
      input: "Hello\nAnd you?\n/bye\n",
    });
    expect(chat.code, chat.stderr).toBe(0);
    expect(chat.stdout.split("\n").length).toBeGreaterThanOrEqual(3);

    const healthy = await runOctet(["health", "--grpc", address], { cacheDir });
    expect(healthy).toMatchObject({
      code: 0,
      stdout: `${address} SERVING\nplain: engine cpu, workers cpu\n`,
    });

    const refused = await runOctet(["generate", "x", "--address", address, "--top-p", "7"], {
      cacheDir,
    });
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain("0 < topP <= 1");

    const worker = cluster.members.find((m: { name: string }) => m.name === "expert 4");
    process.kill(worker.pid, "SIGKILL");
    const back = new RegExp(`expert 4.*${worker.address}`);
    while (!back.test(upStderr.slice(upStderr.indexOf("expert 4 ended")))) {
      await once(up.stderr, "data");
    }
    // The coordinator finds it again by itself, within its pause between two attempts.
    let health = healthy;
    do health = await runOctet(["health", "--grpc", address], { cacheDir });
    while (health.code === 3);
    const after = await runOctet(["generate", "Once upon", ...greedy], { cacheDir });
    expect(after.stdout).toBe(first.stdout);
  } finally {
    up.kill("SIGINT");
    const [code] = await once(up, "close");
    expect(code, upStderr).toBe(0);
  }
  expect(pidsIn(upStderr).filter(isAlive)).toEqual([]);
}, 120_000);

test("chat with a model of its own starts a cluster, answers and stops it", async () => {
  const args = ["chat", "--model", model, "--temperature", "0", "--max-tokens", "8"];
  const { code, stdout, stderr } = await runOctet(args, { cacheDir, input: "Hello\n" });
  expect(code, stderr).toBe(0);
  expect(stdout.length).toBeGreaterThan(1);
  const pids = pidsIn(stderr);
  expect(pids).toHaveLength(9);
  expect(pids.filter(isAlive)).toEqual([]);
}, 60_000);

test("a cluster ends with the command that started it, even if that is killed", async () => {
  const ports = ["--port", "0", "--http-port", "0"];
  const up = startOctet(["up", "--model", model, "--json", ...ports], cacheDir);
  let stderr = "";
  up.stderr.on("data", (chunk) => {
    stderr += String(chunk);
  });
  const [line] = await once(createInterface({ input: up.stdout }), "line");
  const pids: number[] = JSON.parse(line).members.map((m: { pid: number }) => m.pid);
  up.kill("SIGKILL");
  const giveUpAtMs = performance.now() + 15_000;
  while (pids.some(isAlive) && performance.now() < giveUpAtMs) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(pids.filter(isAlive), stderr).toEqual([]);
}, 60_000);

test("shard writes a set that up accepts, and says what it wrote", async () => {
  const out = join(cacheDir, "sharded");
  const args = ["shard", model, "--out", out, "--dtype", "q8", "--json"];
  const { code, stdout, stderr } = await runOctet(args, { cacheDir });
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toBeTypeOf("object");
  expect(existsSync(join(out, "expert-07", "manifest.json"))).toBe(true);
  const run = ["run", "Once", "--model", out, "--max-tokens", "4"];
  expect((await runOctet(run, { cacheDir })).code).toBe(0);
}, 60_000);

test("an interrupted shard exits 130, is no model, and is taken up by the same command", async () => {
  const source = join(cacheDir, "large");
  const out = join(cacheDir, "interrupted");
  // A hundred megabytes: seconds of work, so that the signal comes in the middle.
  const shape = ["--hidden", "512", "--intermediate", "1024", "--layers", "4", "--heads", "8"];
  execFileSync(process.execPath, [randomCheckpoint, source, ...shape], { stdio: "ignore" });
  const args = ["shard", source, "--out", out, "--dtype", "q8"];
  const child = startOctet(args, cacheDir);
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += String(chunk);
  });
  while (!existsSync(join(out, "expert-01")) && child.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  child.kill("SIGINT");
  const [code] = await once(child, "close");
  expect(code, stderr).toBe(130);
  expect(stderr).toContain("goes on where this one stopped");
  expect((await runOctet(["run", "x", "--model", out], { cacheDir })).code).toBe(2);
  const again = await runOctet([...args, "--json"], { cacheDir });
  expect(again.code, again.stderr).toBe(0);
  const shards: { folder: string; reused: boolean }[] = JSON.parse(again.stdout).shards;
  expect(shards.find((shard) => shard.folder === "expert-00")!.reused).toBe(true);
}, 60_000);

test("wrong usage exits 2 and says what to do", async () => {
  for (const args of [
    ["generate", "--nonsense"],
    ["shard", model],
    ["shard", model, "--out", "x", "--dtype", "int3"],
    ["run", "x", "--model", "/nonexistent"],
    ["generate", "x", "--max-tokens", "many"],
  ]) {
    const { code, stdout, stderr } = await runOctet(args, { cacheDir });
    expect(code, args.join(" ")).toBe(2);
    expect(stdout).toBe("");
    expect(stderr.length).toBeGreaterThan(20);
  }
}, 60_000);

test("a coordinator that is not there exits 3 and names the address", async () => {
  const [port] = await findFreePorts(1);
  const args = ["generate", "x", "--address", `127.0.0.1:${port}`];
  const { code, stderr } = await runOctet(args, { cacheDir });
  expect(code).toBe(3);
  expect(stderr).toContain(`127.0.0.1:${port}`);
}, 30_000);

test("every command has a help text", async () => {
  const commands = ["run", "up", "generate", "chat", "shard", "health", "doctor", "serve"];
  for (const args of [
    [],
    ...commands.map((name) => [name]),
    ["serve", "coordinator"],
    ["serve", "gateway"],
  ]) {
    const { code, stdout } = await runOctet([...args, "--help"], { cacheDir });
    expect(code).toBe(0);
    expect(stdout).toContain("Usage: octet");
  }
}, 60_000);
