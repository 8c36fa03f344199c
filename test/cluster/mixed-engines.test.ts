// Workers of several engine kinds serve one model, where the coordinator was told that they may.
import { checkHealth, InferenceService } from "@octet/protocol";
import { createClient } from "@octet/protocol/grpc";
import { expect, test } from "vitest";
import {
  launchCoordinator,
  shardGolden,
  startCoordinator,
  TestedWorkers,
} from "./service-cluster.ts";

const deadlineMs = 20_000;
const numTokens = 16;

async function generate(address: string): Promise<number[]> {
  const client = createClient(InferenceService, address);
  try {
    const tokenIds: number[] = [];
    const call = client.generate(
      {
        input: { case: "tokens", value: { ids: [1, 17, 250, 33, 90] } },
        sampling: { temperature: 0 },
        stop: { maxTokens: numTokens, ignoreEos: true },
        details: true,
      },
      { deadlineMs },
    );
    for await (const { event } of call) {
      if (event.case === "delta") tokenIds.push(...event.value.tokenIds);
    }
    return tokenIds;
  } finally {
    client.close();
  }
}

async function describeModel(address: string) {
  const client = createClient(InferenceService, address);
  try {
    return (await client.listModels({}, { deadlineMs })).models[0]!;
  } finally {
    client.close();
  }
}

test("a mixed cluster serves one model, says so, and repeats itself to the bit", async () => {
  await using shards = await shardGolden("plain", "f32");
  await using workers = await TestedWorkers.start(shards.index, (expertId) => ({
    OCTET_ENGINE: expertId % 2 === 0 ? "cpu" : "reference",
  }));
  await using coordinator = await startCoordinator(shards.index, workers.placement, {
    OCTET_WORKER_ENGINES: "cpu, reference",
  });
  const { engineKind, workerEngineKinds } = await describeModel(coordinator.address);
  expect({ engineKind, workerEngineKinds }).toEqual({
    engineKind: "cpu",
    workerEngineKinds: ["cpu", "reference"],
  });
  const tokenIds = await generate(coordinator.address);
  expect(tokenIds).toHaveLength(numTokens);
  expect(await generate(coordinator.address)).toEqual(tokenIds);
}, 60_000);

test("without being told, a coordinator refuses workers of another kind, naming both", async () => {
  await using shards = await shardGolden("plain", "f32");
  await using workers = await TestedWorkers.start(shards.index, (expertId) => ({
    OCTET_ENGINE: expertId === 3 ? "reference" : "cpu",
  }));
  await using coordinator = await launchCoordinator(shards.index, workers.placement);
  await coordinator.untilLogged("worker down");
  const refusal = coordinator.lines.find(({ event }) => event === "worker down")!;
  expect(refusal.fields).toMatchObject({
    address: workers.workers[3]!.address,
    errorCode: "not-held",
    detail: expect.stringContaining("expected engine kind cpu, found reference"),
  });
  expect(await checkHealth(coordinator.address, "readiness", { deadlineMs })).toBe(false);
}, 60_000);
