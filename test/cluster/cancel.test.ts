// A client that goes away is heard of at the workers, through a real coordinator.
import { tmpdir } from "node:os";
import { InferenceService } from "@octet/protocol";
import { createClient } from "@octet/protocol/grpc";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startOctet } from "./octet-command.ts";
import { type RecordingWorker, startRecordingWorker } from "./recording-worker.ts";
import {
  shardGolden,
  startCoordinator,
  startGateway,
  type TemporaryShards,
  type TestedService,
} from "./service-cluster.ts";

let shards: TemporaryShards;
let worker: RecordingWorker;
let coordinator: TestedService;

beforeAll(async () => {
  shards = await shardGolden("plain", "bf16");
  worker = await startRecordingWorker(shards);
  coordinator = await startCoordinator(shards.index, worker.placement, {
    OCTET_EXPERT_DEADLINE_MS: "60000",
  });
});

afterAll(async () => {
  await coordinator?.[Symbol.asyncDispose]();
  worker?.close();
  await shards?.[Symbol.asyncDispose]();
});

async function until(condition: () => boolean): Promise<void> {
  const giveUpAtMs = performance.now() + 10_000;
  while (!condition() && performance.now() < giveUpAtMs) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Waits until the workers are asked, has the client `leave`, and waits for the withdrawal. */
async function expectWithdrawal(leave: () => void): Promise<void> {
  await until(() => worker.called.size > 0);
  expect(worker.called.size).toBeGreaterThan(0);
  const leftAtMs = performance.now();
  leave();
  await until(() => worker.cancelled.size >= worker.called.size);
  expect([...worker.cancelled].sort()).toEqual([...worker.called].sort());
  expect(performance.now() - leftAtMs).toBeLessThan(5_000);
}

beforeEach(() => {
  worker.called.clear();
  worker.cancelled.clear();
});

test.each(["cancel", "deadline"] as const)(
  "after a client's %s, the workers are told of every call that only it was waiting for",
  async (how) => {
    const client = createClient(InferenceService, coordinator.address);
    const deadlineMs = how === "deadline" ? 1_500 : 60_000;
    const call = client.generate({ input: { case: "text", value: "Once" } }, { deadlineMs });
    call.on("error", () => {});
    call.resume();
    await expectWithdrawal(() => {
      if (how === "cancel") call.cancel();
    });
    client.close();
  },
  30_000,
);

test("after a client was killed, the workers are told of every call of its", async () => {
  const child = startOctet(["generate", "Once", "--address", coordinator.address], tmpdir());
  child.stdin.end();
  await expectWithdrawal(() => child.kill("SIGKILL"));
}, 30_000);

test.each(["streamed", "whole"] as const)(
  "after an HTTP client of the gateway closed its connection, a %s answer ends at the workers",
  async (how) => {
    await using gateway = await startGateway([coordinator.address]);
    const leave = new AbortController();
    const answer = fetch(`http://${gateway.address}/v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ prompt: ["Once", "upon"], stream: how === "streamed" }),
      signal: leave.signal,
    });
    const left = answer.then((response) => response.text()).catch(() => "left");
    await expectWithdrawal(() => leave.abort());
    expect(await left).toBe("left");
  },
  30_000,
);
