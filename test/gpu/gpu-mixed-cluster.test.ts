// One model on both kinds of engine, and GPUs that are lost in the middle of a generation.
import { setTimeout as delay } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { checkHealth, readinessName } from "@octet/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  shardGolden,
  startCoordinator,
  type TemporaryShards,
  type TestedService,
  TestedWorkers,
} from "../cluster/service-cluster.ts";
import { describeWorkers } from "./describe-workers.ts";
import { generateGolden, goldenTokens } from "./generate-golden.ts";
import { type Generated, generateTokens } from "./generate-tokens.ts";
import { gpuSettings } from "./gpu-settings.ts";
import { lossEnvironment } from "./lose-device.ts";
import { watchReadiness } from "./watch-readiness.ts";

const victim = 5;
const numTokens = 60;
const prompts = [1, 2, 3].map((seed) => [1, 3 + seed, 40 + seed, 90 + seed]);

let shards: TemporaryShards;
let workers: TestedWorkers;
let coordinator: TestedService;

beforeAll(async () => {
  shards = await shardGolden("plain", "f32");
  workers = await TestedWorkers.start(shards.index, (expertId) => {
    return expertId === victim ? { ...gpuSettings(), ...lossEnvironment } : { OCTET_ENGINE: "cpu" };
  });
  coordinator = await startCoordinator(shards.index, workers.placement, {
    ...gpuSettings(),
    ...lossEnvironment,
    OCTET_WORKER_ENGINES: "cpu,webgpu",
    OCTET_EXPERT_DEADLINE_MS: "60000", // calls that compile shaders, after a loss too
  });
}, 180_000);

afterAll(async () => {
  await coordinator?.[Symbol.asyncDispose]();
  await workers?.[Symbol.asyncDispose]();
  await shards?.[Symbol.asyncDispose]();
});

const generateAll = (onToken?: () => void) =>
  Promise.all(prompts.map((ids) => generateTokens(coordinator.address, ids, numTokens, onToken)));

async function isReady({ address }: TestedService): Promise<boolean> {
  return checkHealth(address, readinessName, { deadlineMs: 5_000 });
}

async function untilReady(service: TestedService): Promise<void> {
  const giveUpAtMs = performance.now() + 30_000;
  while (!(await isReady(service)) && performance.now() < giveUpAtMs) await delay(50);
  expect(await isReady(service)).toBe(true);
}

/** Generates, has `loser` lose its device after some tokens, and gives what came of it. */
async function generateThroughLoss(loser: TestedService): Promise<Generated[]> {
  let tokens = 0;
  return generateAll(() => {
    tokens++;
    if (tokens === 30) process.kill(loser.process.pid!, "SIGUSR2");
  });
}

/** What each sequence got is the beginning of what it would have got. */
function expectBeginnings(outcomes: readonly Generated[], whole: readonly Generated[]): void {
  for (const [i, { tokenIds }] of outcomes.entries()) {
    expect(whole[i]!.tokenIds.slice(0, tokenIds.length)).toEqual(tokenIds);
  }
}

function eventsOf({ lines }: TestedService): string[] {
  const ofInterest = ["ready", "gpu lost", "gpu back"];
  return lines.map(({ event }) => event).filter((event) => ofInterest.includes(event));
}

test("engines of both kinds serve one model, with transformers' text", async () => {
  const kinds = (await describeWorkers(workers.workers)).map(({ engineKind }) => engineKind);
  expect(kinds).toEqual(kinds.map((_, expertId) => (expertId === victim ? "webgpu" : "cpu")));
  expect(await generateGolden(coordinator.address)).toEqual(goldenTokens);
}, 60_000);

test("a worker whose GPU is lost is away for a while; who needed it fails, and may ask again", async () => {
  const worker = workers.workers[victim]!;
  const before = await generateAll();
  expect(before.map(({ code }) => code)).toEqual([status.OK, status.OK, status.OK]);

  const readiness = watchReadiness(worker.address);
  const outcomes = await generateThroughLoss(worker);
  const failed = outcomes.filter(({ code }) => code !== status.OK);
  expect(failed.length).toBeGreaterThan(0);
  for (const { code, details } of failed) {
    expect(code, details).toBe(status.UNAVAILABLE);
    expect(details).toContain(`expert ${victim}`);
  }
  expectBeginnings(outcomes, before);

  await worker.untilLogged("gpu back");
  await untilReady(worker);
  await untilReady(coordinator);
  readiness.stop();
  expect(readiness.wasReady).toEqual([true, false, true]);
  expect(eventsOf(worker)).toEqual(["ready", "gpu lost", "gpu back"]);
  expect(await generateAll()).toEqual(before);
}, 120_000);

test("a coordinator whose GPU is lost pauses its sequences, and gives the same tokens", async () => {
  const before = await generateAll();
  const readiness = watchReadiness(coordinator.address);
  expect(await generateThroughLoss(coordinator)).toEqual(before);

  await untilReady(coordinator);
  readiness.stop();
  expect(readiness.wasReady).toEqual([true, false, true]);
  expect(eventsOf(coordinator)).toContain("gpu back");
  expect(coordinator.lines.filter(({ level }) => level === "error")).toEqual([]);
}, 120_000);
