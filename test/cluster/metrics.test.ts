// What a real coordinator and real workers count of a real request, on their admin ports.
import { findFreePorts } from "@octet/cli/free-ports";
import { activationRowBytes, dispatchDtype, replyDtype } from "@octet/core";
import { InferenceService } from "@octet/protocol";
import { createClient } from "@octet/protocol/grpc";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  shardGolden,
  startCoordinator,
  type TemporaryShards,
  type TestedService,
  TestedWorkers,
} from "./service-cluster.ts";

let shards: TemporaryShards;
let workers: TestedWorkers;
let coordinator: TestedService;
let adminPorts: readonly number[];

beforeAll(async () => {
  shards = await shardGolden("plain", "bf16");
  adminPorts = await findFreePorts(shards.index.experts.length + 1);
  workers = await TestedWorkers.start(shards.index, (expertId) => ({
    OCTET_ADMIN_LISTEN: `127.0.0.1:${adminPorts[expertId + 1]}`,
  }));
  coordinator = await startCoordinator(shards.index, workers.placement, {
    OCTET_ADMIN_LISTEN: `127.0.0.1:${adminPorts[0]}`,
    OCTET_KV_TOKENS: "1024",
    // What is guessed wrong is asked for, and not told of: the sums below would differ.
    OCTET_SPECULATION: "off",
  });
});

afterAll(async () => {
  await coordinator?.[Symbol.asyncDispose]();
  await workers?.[Symbol.asyncDispose]();
  await shards?.[Symbol.asyncDispose]();
});

/** Every sample, by its name and labels as they are printed. */
async function scrape(port: number): Promise<Map<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

test("an answer's tokens, rows and times are counted where they happened", async () => {
  const client = createClient(InferenceService, coordinator.address);
  const bounds = { deadlineMs: 60_000 };
  const request = {
    input: { case: "tokens" as const, value: { ids: [1, 5, 6] } },
    sampling: { temperature: 0 },
    stop: { maxTokens: 6, ignoreEos: true },
    details: true,
  };
  const uses = new Map<number, { rows: number; calls: number }>();
  for await (const { event } of client.generate(request, bounds)) {
    if (event.case !== "finished") continue;
    for (const { expertId, rows, calls } of event.value.experts) {
      uses.set(expertId, { rows: Number(rows), calls: Number(calls) });
    }
  }
  const refused = client.generate({ ...request, sampling: { topK: 0 } }, bounds);
  await expect(
    (async () => {
      for await (const _ of refused);
    })(),
  ).rejects.toThrow();
  client.close();

  const counted = await scrape(adminPorts[0]!);
  expect(counted.get("octet_generated_tokens_total")).toBe(6);
  expect(counted.get("octet_prompt_tokens_total")).toBe(3);
  expect(counted.get('octet_requests_finished_total{reason="length"}')).toBe(1);
  expect(counted.get('octet_requests_failed_total{reason="invalid_parameter"}')).toBe(1);
  expect(counted.get("octet_time_to_first_token_seconds_count")).toBe(1);
  expect(counted.get("octet_inter_token_seconds_count")).toBe(5);
  expect(counted.get("octet_request_seconds_count")).toBe(1);
  expect(counted.get("octet_steps_total")).toBeGreaterThan(0);
  expect(counted.get("octet_halved_steps_total")).toBe(0);
  expect(counted.get("octet_requests_running")).toBe(0);
  expect(counted.get("octet_requests_waiting")).toBe(0);
  expect(counted.get("octet_kv_blocks")).toBe(64);
  expect(counted.get("octet_kv_usage_ratio")).toBe(0);
  expect(uses.size).toBeGreaterThan(1);
  const sumOf = (name: string) =>
    Array.from(counted).reduce((sum, [key, n]) => (key.startsWith(`${name}{`) ? sum + n : sum), 0);
  // Six steps of each layer; which of its experts is last, one is.
  const { numLayers, hiddenSize } = shards.index.model;
  expect(counted.get("octet_layer_straggler_seconds_count")).toBe(6 * numLayers);
  expect(sumOf("octet_expert_slowest_total")).toBe(6 * numLayers);
  expect(counted.get("octet_layers_failed_total")).toBe(0);
  for (const [expertId, { rows, calls }] of uses) {
    const labels = `{expert="${expertId}"}`;
    expect(counted.get(`octet_expert_rows_total${labels}`)).toBe(rows);
    expect(counted.get(`octet_expert_call_seconds_count${labels}`)).toBe(calls);
    expect(counted.get(`octet_expert_up${labels}`)).toBe(1);
    for (const direction of ["sent", "received"]) {
      const ofBoth = `{expert="${expertId}",direction="${direction}"}`;
      const dtype = direction === "sent" ? dispatchDtype("bf16") : replyDtype("bf16");
      const bytes = rows * activationRowBytes(dtype, hiddenSize);
      expect(counted.get(`octet_expert_bytes_total${ofBoth}`)).toBe(bytes);
    }
    const atWorker = await scrape(adminPorts[expertId + 1]!);
    expect(atWorker.get(`octet_worker_rows_total${labels}`)).toBe(rows);
    expect(atWorker.get(`octet_worker_calls_total${labels}`)).toBe(calls);
    expect(atWorker.get(`octet_worker_queue_seconds_count${labels}`)).toBe(calls);
    expect(atWorker.get(`octet_worker_compute_seconds_count${labels}`)).toBe(calls);
  }
});

test("prefixes that are found are counted, and their blocks do not count as used", async () => {
  const client = createClient(InferenceService, coordinator.address);
  const bounds = { deadlineMs: 60_000 };
  const long = Array<number>(40).fill(7);
  for (const _ of [1, 2]) {
    const input = { case: "tokens" as const, value: { ids: long } };
    const again = client.generate({ input, stop: { maxTokens: 1 } }, bounds);
    for await (const __ of again);
  }
  const { state } = await client.getClusterState({}, bounds);
  client.close();
  const counted = await scrape(adminPorts[0]!);
  expect(counted.get("octet_prefix_hits_tokens_total")).toBe(32);
  expect(state?.kvCache?.prefixHitsTokens).toBe(32n);
  const queries = counted.get("octet_prefix_queries_tokens_total");
  expect(queries).toBe(Number(state?.kvCache?.prefixQueriesTokens));
  expect(counted.get("octet_kv_blocks_cached")).toBe(state?.kvCache?.blocksCached);
  expect(state?.kvCache?.blocksCached).toBeGreaterThan(0);
  expect(counted.get("octet_kv_usage_ratio")).toBe(0);
});

test("an expert that is away is not up, and its calls are counted as failed", async () => {
  await workers.workers[0]![Symbol.asyncDispose]();
  await coordinator.untilLogged("not ready");
  const client = createClient(InferenceService, coordinator.address);
  // Of a prompt of many tokens, some choose it, in the first layer.
  const input = {
    case: "tokens" as const,
    value: { ids: Array.from({ length: 50 }, (_, i) => i + 3) },
  };
  const asked = client.generate({ input, stop: { maxTokens: 1 } }, { deadlineMs: 60_000 });
  await expect(
    (async () => {
      for await (const _ of asked);
    })(),
  ).rejects.toThrow();
  client.close();
  const counted = await scrape(adminPorts[0]!);
  expect(counted.get('octet_expert_up{expert="0"}')).toBe(0);
  expect(counted.get("octet_layers_failed_total")).toBe(1);
  expect(counted.get('octet_expert_up{expert="1"}')).toBe(1);
});
