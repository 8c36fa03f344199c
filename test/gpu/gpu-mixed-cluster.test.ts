// One model on both kinds of engine, and GPUs that are lost in the middle of a generation.
import { setTimeout as delay } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { checkHealth, readinessName } from "@octet/protocol";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
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
import { heldLossEnvironment, lossEnvironment } from "./lose-device.ts";
import { watchReadiness } from "./watch-readiness.ts";

// Shaders are compiled again after a loss, on cores that are shared with everybody.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });
const victim = 5;
const numTokens = 60;
const prompts = [1, 2, 3].map((seed) => [1, 3 + seed, 40 + seed, 90 + seed]);

let shards: TemporaryShards;
let workers: TestedWorkers;
let coordinator: TestedService;

beforeAll(async () => {
  shards = await shardGolden("plain", "f32");
  workers = await TestedWorkers.start(shards.index, (expertId) => {
    return expertId === victim
      ? { ...gpuSettings(), ...heldLossEnvironment }
      : { OCTET_ENGINE: "cpu" };
  });
  coordinator = await startCoordinator(shards.index, workers.placement, {
    ...gpuSettings(),
    ...lossEnvironment,
    OCTET_WORKER_ENGINES: "cpu,webgpu",
    OCTET_EXPERT_DEADLINE_MS: "200000", // longer than a loss
  });
});

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
  const giveUpAtMs = performance.now() + 150_000;
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

function eventsOf({ lines }: TestedService): string[] {
  const ofInterest = ["ready", "gpu lost", "gpu back"];
  return lines.map(({ event }) => event).filter((event) => ofInterest.includes(event));
}

test("engines of both kinds serve one model, with transformers' text", async () => {
  const kinds = (await describeWorkers(workers.workers)).map(({ engineKind }) => engineKind);
  expect(kinds).toEqual(kinds.map((_, expertId) => (expertId === victim ? "webgpu" : "cpu")));
  expect(await generateGolden(coordinator.address)).toEqual(goldenTokens);
});

test("while a worker's GPU is lost sequences wait, and go on with the same tokens", async () => {
  const worker = workers.workers[victim]!;
  const before = await generateAll();
  expect(before.map(({ code }) => code)).toEqual([status.OK, status.OK, status.OK]);

  const readiness = watchReadiness(worker.address);
  const outcomes = generateThroughLoss(worker);
  await worker.untilLogged("gpu lost");
  expect(await isReady(worker)).toBe(false);
  process.kill(worker.process.pid!, "SIGUSR2"); // the device may come back
  expect(await outcomes).toEqual(before);

  await untilReady(worker);
  readiness.stop();
  expect(readiness.wasReady).toEqual([true, false, true]);
  expect(eventsOf(worker)).toEqual(["ready", "gpu lost", "gpu back"]);
  expect(await generateAll()).toEqual(before);
});

test("a worker's GPU that is away for too long fails who needs it, with the reason", async () => {
  const worker = workers.workers[victim]!;
  await using impatient = await startCoordinator(shards.index, workers.placement, {
    OCTET_ENGINE: "cpu",
    OCTET_WORKER_ENGINES: "cpu,webgpu",
    OCTET_EXPERT_DEADLINE_MS: "5000",
  });
  const generate = () => generateTokens(impatient.address, prompts[0]!, numTokens);
  process.kill(worker.process.pid!, "SIGUSR2");
  const { code, failure } = await generate();
  expect(code).toBe(status.UNAVAILABLE);
  expect(failure).toMatchObject({
    reason: "expert_unavailable",
    metadata: { expert: String(victim), cause: "device_lost" },
    retryAfterMs: expect.any(Number),
  });
  process.kill(worker.process.pid!, "SIGUSR2");
  await untilReady(worker);
  expect((await generateGolden(coordinator.address))[0]).toEqual(goldenTokens[0]);
});

test("a coordinator whose GPU is lost pauses its sequences, and gives the same tokens", async () => {
  const before = await generateAll();
  const readiness = watchReadiness(coordinator.address);
  expect(await generateThroughLoss(coordinator)).toEqual(before);

  await untilReady(coordinator);
  readiness.stop();
  expect(readiness.wasReady).toEqual([true, false, true]);
  expect(eventsOf(coordinator)).toContain("gpu back");
  expect(coordinator.lines.filter(({ level }) => level === "error")).toEqual([]);
});
