// The client's whole answers, from a real cluster with the bundled model.
import { OctetClient } from "@octet/client";
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

test("several answers differ, and the first is the one given alone", async () => {
  const request = {
    text: "Once upon a time",
    sampling: { seed: 11n },
    stop: { maxTokens: 60 },
    details: true,
  } as const;
  const several = await client.generate({ ...request, n: 3 }).completeAll();
  expect(several.map(({ finished }) => finished.index)).toEqual([0, 1, 2]);
  expect(new Set(several.map((answer) => answer.text)).size).toBe(3);
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
