// A KV cache with less room than the model has positions: what can be asked for is said, and kept.
import { FinishReason, InferenceService } from "@octet/protocol";
import { createClient, type GrpcClient } from "@octet/protocol/grpc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GatewayCluster } from "./gateway-cluster.ts";
import { answerOf, type Json, refusalOf } from "./read-answers.ts";

/** Of the 2,048 that the model was made for. */
const contextTokens = 256;
const bounds = { deadlineMs: 60_000 };
let cluster: GatewayCluster;
let client: GrpcClient<typeof InferenceService>;

beforeAll(async () => {
  cluster = await GatewayCluster.start({ coordinator: { OCTET_KV_TOKENS: `${contextTokens}` } });
  client = createClient(InferenceService, cluster.coordinator.address);
}, 120_000);
afterAll(async () => {
  client?.close();
  await cluster?.[Symbol.asyncDispose]();
});

const prompt = "Once upon a time";
const completions = "/v1/completions";

test("models have the context that is served", async () => {
  const { models } = await client.listModels({}, bounds);
  expect(models).toMatchObject([{ maxPositions: contextTokens }]);
  const { model } = await client.getModel({}, bounds);
  expect(model).toMatchObject({ maxPositions: contextTokens });
  const { data } = (await (await cluster.get("/v1/models")).json()) as Json;
  expect(data).toMatchObject([{ max_model_len: contextTokens, max_context_length: contextTokens }]);
  const { max_model_len } = await answerOf(cluster, "/tokenize", { prompt });
  expect(max_model_len).toBe(contextTokens);
});

test("over HTTP an answer that does not fit is refused, in one piece and streamed", async () => {
  const { count } = await answerOf(cluster, "/tokenize", { prompt });
  const most = contextTokens - count;
  const body = { prompt, max_tokens: most, ignore_eos: true, seed: 1 };
  const { usage, choices } = await answerOf(cluster, completions, body);
  expect(usage.total_tokens).toBe(contextTokens);
  expect(choices[0].finish_reason).toBe("length");
  for (const stream of [false, true]) {
    const asked = { ...body, max_tokens: most + 1, stream };
    expect(await refusalOf(cluster, completions, asked)).toMatchObject({
      status: 400,
      code: "context_length_exceeded",
      param: "max_tokens",
      message: expect.stringContaining(`the context has ${contextTokens}`),
    });
  }
  const long = { prompt: "hello there ".repeat(contextTokens) };
  expect(await refusalOf(cluster, completions, long)).toMatchObject({
    status: 400,
    code: "context_length_exceeded",
  });
});

test("over gRPC the context's end caps max_tokens, as the contract says", async () => {
  const stop = { maxTokens: 100_000, ignoreEos: true };
  let promptTokens = 0;
  for await (const { event } of client.generate(
    { input: { case: "text", value: prompt }, stop },
    bounds,
  )) {
    if (event.case === "started") promptTokens = event.value.promptTokens;
    if (event.case !== "finished") continue;
    expect(event.value.reason).toBe(FinishReason.LENGTH);
    expect(promptTokens + event.value.completionTokens).toBe(contextTokens);
  }
});
