// Steps in two halves through real processes: the same tokens, and counted.
import { InferenceService } from "@octet/protocol";
import { createClient } from "@octet/protocol/grpc";
import { expect, test } from "vitest";
import { shardGolden, startCoordinator, TestedWorkers } from "./service-cluster.ts";

const numAnswers = 12;
/** Enough for "auto" to try halves: it does after 16 steps of a size. */
const maxTokens = 64;
const callMs = { deadlineMs: 120_000 };

/** Answers asked for at once, and how many steps of how many were halved. */
async function answerTogether(address: string) {
  const client = createClient(InferenceService, address);
  const answers = Array.from({ length: numAnswers }, async (_, i) => {
    const tokenIds: number[] = [];
    const events = client.generate(
      {
        input: {
          case: "tokens",
          value: { ids: Array.from({ length: 3 + i }, (_, j) => 5 + i + j) },
        },
        sampling: { temperature: i % 2, seed: BigInt(i) },
        stop: { maxTokens, ignoreEos: true },
        details: true,
      },
      callMs,
    );
    for await (const { event } of events) {
      if (event.case === "delta") tokenIds.push(...event.value.tokenIds);
    }
    return tokenIds;
  });
  const tokenIds = await Promise.all(answers);
  const { steps, halvedSteps } = (await client.getClusterState({}, callMs)).state!.scheduler!;
  client.close();
  return { tokenIds, steps, halvedSteps };
}

test("answers computed in halves, always or where it is quicker, are those of whole steps", async () => {
  await using shards = await shardGolden("plain", "q4");
  await using workers = await TestedWorkers.start(shards.index);
  const answer = async (mode: string) => {
    const settings = {
      OCTET_MICRO_BATCHES: mode,
      OCTET_KV_TOKENS: "4096",
      // Guesses would make steps of other sizes.
      OCTET_SPECULATION: "off",
    };
    await using coordinator = await startCoordinator(shards.index, workers.placement, settings);
    return await answerTogether(coordinator.address);
  };
  const off = await answer("off");
  expect(off.halvedSteps).toBe(0n);
  expect(off.tokenIds.map((ids) => ids.length)).toEqual(Array(numAnswers).fill(maxTokens));
  const on = await answer("on");
  expect(on.tokenIds).toEqual(off.tokenIds);
  // All but those before everybody had come.
  expect(on.halvedSteps).toBeGreaterThan(BigInt(maxTokens / 2));
  const auto = await answer("auto");
  expect(auto.tokenIds).toEqual(off.tokenIds);
  expect(auto.halvedSteps).toBeGreaterThan(0n);
  expect(auto.halvedSteps).toBeLessThan(auto.steps);
}, 120_000);
