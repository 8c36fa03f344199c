// A client that goes away is heard of at the workers, through a real coordinator.
import { tmpdir } from "node:os";
import { Metadata, Server, ServerCredentials } from "@grpc/grpc-js";
import { findFreePorts } from "@octet/cli/free-ports";
import { ExpertService, InferenceService, serverOptions } from "@octet/protocol";
import { addService, createClient } from "@octet/protocol/grpc";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startOctet } from "./octet-command.ts";
import {
  shardGolden,
  startCoordinator,
  type TemporaryShards,
  type TestedService,
} from "./service-cluster.ts";

let shards: TemporaryShards;
let worker: RecordingWorker;
let coordinator: TestedService;

/** A worker that holds every expert, answers nothing, and remembers what it was asked. */
interface RecordingWorker {
  readonly address: string;
  readonly called: Set<bigint>;
  readonly cancelled: Set<bigint>;
  readonly close: () => void;
}

async function startRecordingWorker({ index }: TemporaryShards): Promise<RecordingWorker> {
  const [port] = await findFreePorts(1);
  const address = `127.0.0.1:${port}`;
  const called = new Set<bigint>();
  const cancelled = new Set<bigint>();
  const { model } = index;
  const server = new Server(serverOptions);
  addService(server, ExpertService, {
    describe: (_call, done) =>
      done(null, {
        ...model,
        workerId: "recording",
        startId: "1",
        expertIds: index.experts.map((_, expertId) => expertId),
        weightDtype: index.weightDtype,
        engineKind: "cpu",
        modelDigest: index.modelDigest,
      }),
    forward: (stream) => {
      stream.sendMetadata(new Metadata());
      stream.on("data", ({ kind }) => {
        if (kind.case === "call") called.add(kind.value.callId);
        if (kind.case === "cancel") for (const id of kind.value.callIds) cancelled.add(id);
      });
      stream.on("end", () => stream.end());
      stream.on("error", () => {});
    },
  });
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  return { address, called, cancelled, close: () => server.forceShutdown() };
}

beforeAll(async () => {
  shards = await shardGolden("plain", "bf16");
  worker = await startRecordingWorker(shards);
  const placement = shards.index.experts.map((_, expertId) => `${expertId}=${worker.address}`);
  coordinator = await startCoordinator(shards.index, placement.join(","), {
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
