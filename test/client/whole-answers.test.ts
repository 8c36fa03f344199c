// The client's whole answers, from a real cluster with the bundled model.
import { FinishReason, OctetClient, ToolChoiceMode } from "@octet/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundledModelDir } from "../cluster/service-cluster.ts";
import { type SmallCluster, startSmallCluster } from "../cluster/small-cluster.ts";

let cluster: SmallCluster;
let client: OctetClient;

beforeAll(async () => {
  cluster = await startSmallCluster({ sourceDir: bundledModelDir });
  client = new OctetClient(cluster.address);
});
afterAll(async () => {
  client?.close();
  await cluster?.[Symbol.asyncDispose]();
});

test("several answers keep to a constraint, and the first is the one given alone", async () => {
  const request = {
    text: "Once upon a time",
    sampling: { seed: 11n },
    stop: { maxTokens: 60 },
    constraint: { kind: { case: "regex", value: "[a-z ]{5,30}[.]" } },
    details: true,
  } as const;
  const several = await client.generate({ ...request, n: 3 }).completeAll();
  expect(several.map(({ finished }) => finished.index)).toEqual([0, 1, 2]);
  for (const { text } of several) expect(text).toMatch(/^[a-z ]{5,30}[.]$/);
  const alone = await client.generate(request).complete();
  const { text, tokenIds } = several[0]!;
  expect({ text, tokenIds }).toEqual({ text: alone.text, tokenIds: alone.tokenIds });
});

test("logprobs, the prompt's too, and the experts of every token", async () => {
  const { tokenIds, logprobs, promptLogprobs, started, finished } = await client
    .generate({
      text: "Once upon a time",
      stop: { maxTokens: 12, ignoreEos: true },
      output: { topLogprobs: 2, promptTopLogprobs: 1, routedExperts: true, progress: true },
      details: true,
    })
    .complete();
  expect(logprobs.map(({ chosen }) => chosen!.tokenId)).toEqual(tokenIds);
  const prompt = promptLogprobs.map(({ chosen }) => chosen!.tokenId);
  expect(prompt).toEqual(started.promptTokenIds.slice(1));
  const { numTokens, numLayers, numExpertsPerToken, expertIds } = finished.routedExperts!;
  expect(numTokens).toBe(started.promptTokens + 11);
  expect(expertIds).toHaveLength(numTokens * numLayers * numExpertsPerToken);
});

test("a conversation calls a tool, is told what came of it, and goes on", async () => {
  const word = {
    type: "object",
    properties: { word: { enum: ["owl", "fox"] } },
    required: ["word"],
  };
  const tools = [{ name: "look_up", parametersJsonSchema: JSON.stringify(word) }];
  const asked = { role: "user", content: "What is an owl?" };
  const { text, toolCalls, finished } = await client
    .chat({
      messages: [asked],
      tools,
      toolChoice: { kind: { case: "mode", value: ToolChoiceMode.REQUIRED } },
      parallelToolCalls: false,
      sampling: { seed: 3n },
      stop: { maxTokens: 200 },
    })
    .complete();
  expect([text, finished.reason]).toEqual(["", FinishReason.TOOL_CALLS]);
  expect(toolCalls).toHaveLength(1);
  expect(["owl", "fox"]).toContain(JSON.parse(toolCalls[0]!.argumentsJson).word);
  const result = { role: "tool", content: "a bird", toolCallId: toolCalls[0]!.id };
  const messages = [asked, { role: "assistant", content: "", toolCalls: [...toolCalls] }, result];
  const next = await client.chat({ messages, tools, stop: { maxTokens: 8 } }).complete();
  expect(next.finished.completionTokens).toBeGreaterThan(0);
});
