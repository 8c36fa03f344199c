// The process that benchmarks ask, on a small model: what it is timed for is what it should do.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePrompts } from "../harness/text-generator.ts";
import { writeBenchTokenizer } from "../model/bench-tokenizer.ts";
import { tinyMixtral as model } from "../model/mixtral-width.ts";
import { writeRandomShardSet } from "../model/write-random-shards.ts";
import { BenchCluster } from "./bench-cluster.ts";
import { OneProcessOctet } from "./one-process-octet.ts";
import { SharedWorkers } from "./shared-workers.ts";

const prompts = makePrompts(3, 9, model.vocabSize);
const steps = 6;

let folder: string;
let octet: OneProcessOctet;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "octet-bench-"));
  await writeBenchTokenizer(join(folder, "tokenizer"), model.vocabSize);
  const where = { outDir: join(folder, "shards"), tokenizerDir: join(folder, "tokenizer") };
  await writeRandomShardSet({ name: "small", model, weightDtype: "q4" }, where);
  octet = await OneProcessOctet.open({ dir: where.outDir, threads: 1, kvTokens: 512 });
});
afterAll(async () => {
  await octet?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

test("sequences decoded together give the tokens of each alone, and all that were asked", async () => {
  const together = await octet.decode({ prompts, steps });
  expect(together.tokenIds.map((ids) => ids.length)).toEqual([7, 7, 7]);
  expect(together.ms).toBeGreaterThan(0);
  for (const [i, prompt] of prompts.entries()) {
    const alone = await octet.decode({ prompts: [prompt], steps });
    expect(alone.tokenIds).toEqual([together.tokenIds[i]]);
    // One token chooses two experts in each of two layers, and the prompt's calls do not count.
    expect(alone.expertCalls).toBe(steps * 2 * 2);
  }
  expect(new Set(together.tokenIds.map(String)).size).toBe(3);
});

test("the first token is the likeliest by the logits after the prompt", async () => {
  const prompt = prompts[0]!;
  const logits = await octet.logits(prompt);
  expect(logits).toHaveLength(prompt.length * model.vocabSize);
  const last = logits.subarray((prompt.length - 1) * model.vocabSize);
  const { tokenId } = await octet.prefill(prompt);
  expect(last[tokenId]).toBe(Math.max(...last));
});

test("a prompt that was asked before is computed again", async () => {
  // It would fail if a token of it were found computed.
  const prompt = makePrompts(1, 70, model.vocabSize)[0]!;
  expect((await octet.prefill(prompt)).tokenId).toBe((await octet.prefill(prompt)).tokenId);
});

test("a long prompt beside answers changes no token, whatever a step may have", async () => {
  const [arrival] = makePrompts(1, 60, model.vocabSize);
  const request = { prompts, steps: 40, arrival: arrival! };
  const { tokenIds, gapsMs } = await octet.tokenGaps(request, 1024);
  expect((await octet.tokenGaps(request, 16)).tokenIds).toEqual(tokenIds);
  expect(gapsMs.length).toBeGreaterThan(0);
  expect(tokenIds[0]!.slice(0, steps + 1)).toEqual(
    (await octet.decode({ prompts, steps })).tokenIds[0],
  );
});

test("a question that fails says why, and the process goes on", async () => {
  await expect(octet.prefill([model.vocabSize])).rejects.toThrow(/expected an id below 288/);
  expect((await octet.prefill(prompts[0]!)).tokenId).toBeGreaterThanOrEqual(0);
});

test("octet up gives the same tokens, names its processes, and its event loop is watched", async () => {
  const expected = await octet.decode({ prompts, steps });
  await using cluster = await BenchCluster.start(join(folder, "shards"));
  expect(cluster.workers.map(({ name }) => name)).toEqual(["expert 0", "expert 1", "expert 2"]);
  let decoded: readonly (readonly number[])[] = [];
  const delays = await cluster.watchEventLoop(async () => {
    decoded = (await cluster.decode({ prompts, steps })).tokenIds;
  });
  expect(decoded).toEqual(expected.tokenIds);
  expect(await cluster.prefill(prompts[0]!)).toMatchObject({ tokenId: decoded[0]![0] });
  expect((await cluster.serve({ prompts, steps })).tokenIds).toEqual(decoded);
  const long = makePrompts(1, 70, model.vocabSize)[0]!;
  await cluster.prefillRemembering(long);
  expect((await cluster.prefillRemembering(long)).cachedTokens).toBe(64);
  expect((await cluster.prefill(long)).tokenId).toBe((await cluster.prefill(long)).tokenId);
  expect(cluster.meanCall.computedUs).toBeGreaterThan(0);
  expect(delays.maxMs).toBeGreaterThanOrEqual(delays.p99Ms);
  expect(Number.isFinite(delays.p50Ms)).toBe(true);
});

test("coordinators of any settings, near their workers and far, give the same tokens", async () => {
  const request = { prompts: makePrompts(9, 17, model.vocabSize), steps };
  const { tokenIds } = await octet.decode(request);
  await using workers = await SharedWorkers.start(join(folder, "shards"));
  for (const [mode, linkDelayMs] of [
    ["off", 2],
    ["on", 2],
    ["on", 0],
  ] as const) {
    const settings = { OCTET_MICRO_BATCHES: mode, OCTET_KV_TOKENS: "1024" };
    const generator = await workers.startCoordinator({ settings, linkDelayMs });
    expect((await generator.decode(request)).tokenIds).toEqual(tokenIds);
    expect((await generator.stepCounts()).halvedSteps > 0).toBe(mode === "on");
    await generator.prefillRemembering(request.prompts[0]!);
    const again = { ...request, prompts: request.prompts.slice(0, 1) };
    expect((await generator.decodeRemembering(again)).tokenIds[0]).toEqual(tokenIds[0]);
    expect((await generator.prefillRemembering(request.prompts[0]!)).cachedTokens).toBe(16);
  }
}, 120_000);
