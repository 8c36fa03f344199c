// kill -9 on a worker while sequences run: who needs it fails clearly, the coordinator goes on.
import { setTimeout as delay } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { checkHealth, InferenceService } from "@octet/protocol";
import { createClient } from "@octet/protocol/grpc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startCoordinator, TestedWorkers } from "../cluster/service-cluster.ts";
import { type SmallCluster, startSmallCluster } from "../cluster/small-cluster.ts";

const expertDeadlineMs = 2_000;
/** What a failure may take beyond the expert's deadline on a busy machine. */
const marginMs = 2_000;

let cluster: SmallCluster;

beforeAll(async () => {
  cluster = await startSmallCluster({
    settings: {
      OCTET_EXPERT_DEADLINE_MS: String(expertDeadlineMs),
    },
  });
});

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

interface Outcome {
  readonly code: status;
  readonly details: string;
  readonly tokenIds: number[];
  /** From its last token, or its start, to its end. */
  readonly silentMs: number;
}

/** One long answer; `onToken` is told of each token as it comes. */
function generate(seed: number, maxTokens: number, onToken: () => void = () => {}) {
  const client = createClient(InferenceService, cluster.address);
  const call = client.generate(
    {
      input: { case: "tokens", value: { ids: [1, 3 + seed, 40 + seed, 90 + seed] } },
      sampling: { temperature: 1, seed: BigInt(seed) },
      stop: { maxTokens, ignoreEos: true },
      details: true,
    },
    { deadlineMs: 60_000 },
  );
  return new Promise<Outcome>((resolve) => {
    const tokenIds: number[] = [];
    let lastTokenAtMs = performance.now();
    call.on("data", ({ event }) => {
      if (event.case !== "delta") return;
      lastTokenAtMs = performance.now();
      tokenIds.push(...event.value.tokenIds);
      onToken();
    });
    call.on("error", () => {});
    call.on("status", ({ code, details }) => {
      client.close();
      resolve({ code, details, tokenIds, silentMs: performance.now() - lastTokenAtMs });
    });
  });
}

async function generateUntilOk(seed: number, maxTokens: number): Promise<Outcome> {
  const giveUpAtMs = performance.now() + 15_000;
  for (;;) {
    const outcome = await generate(seed, maxTokens);
    if (outcome.code === status.OK || performance.now() > giveUpAtMs) return outcome;
    await delay(100);
  }
}

test.each(["SIGKILL", "SIGSTOP"] as const)(
  "after %s of a worker, its sequences fail in time naming the expert, and service returns",
  async (signal) => {
    const before = await Promise.all([1, 2, 3].map((seed) => generate(seed, 60)));
    expect(before.map((outcome) => outcome.code)).toEqual([status.OK, status.OK, status.OK]);

    const victim = 5;
    const pid = cluster.workers.workers[victim]!.process.pid!;
    let tokens = 0;
    const running = [1, 2, 3].map((seed) =>
      generate(seed, 240, () => {
        tokens++;
        if (tokens === 30) process.kill(pid, signal);
      }),
    );
    const outcomes = await Promise.all(running);
    if (signal === "SIGSTOP") process.kill(pid, "SIGCONT");
    for (const outcome of outcomes) {
      expect(outcome.code, outcome.details).toBe(status.UNAVAILABLE);
      expect(outcome.details).toContain(`expert ${victim}`);
      expect(outcome.silentMs).toBeLessThan(expertDeadlineMs + marginMs);
    }
    // The process lives and says so; its log holds no failure of its own.
    expect(await checkHealth(cluster.address, "", { deadlineMs: 2_000 })).toBe(true);
    expect(cluster.coordinator.lines.filter((line) => line.level === "error")).toEqual([]);

    if (signal === "SIGKILL") await cluster.workers.restart(victim);
    for (const [i, seed] of [1, 2, 3].entries()) {
      const after = await generateUntilOk(seed, 60);
      expect(after.code, after.details).toBe(status.OK);
      expect(after.tokenIds).toEqual(before[i]!.tokenIds);
    }
  },
  90_000,
);

test("a coordinator is not ready while an expert is away, and is again when it is back", async () => {
  const ready = () => checkHealth(cluster.address, "readiness", { deadlineMs: 2_000 });
  const untilReadyIs = async (wanted: boolean) => {
    const giveUpAtMs = performance.now() + 15_000;
    while ((await ready()) !== wanted && performance.now() < giveUpAtMs) await delay(50);
    return ready();
  };
  expect(await untilReadyIs(true)).toBe(true);
  process.kill(cluster.workers.workers[2]!.process.pid!, "SIGKILL");
  expect(await untilReadyIs(false)).toBe(false);
  await cluster.workers.restart(2);
  expect(await untilReadyIs(true)).toBe(true);
}, 60_000);

test("SIGTERM ends every process with code 0", async () => {
  await using own = await TestedWorkers.start(cluster.index);
  const ownCoordinator = await startCoordinator(cluster.index, own.placement);
  const all = [ownCoordinator, ...own.workers];
  for (const { process: service } of all) process.kill(service.pid!, "SIGTERM");
  for (const { process: service } of all) {
    expect(await service.exited, service.lastWords).toEqual({ code: 0, signal: null });
  }
}, 60_000);
