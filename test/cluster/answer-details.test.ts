// What an answer carries besides its text, from real processes.
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type ChatRequestSchema,
  FinishReason,
  type GenerateRequestSchema,
  type GenerateResponse,
  InferenceService,
  type TokenLogprobs,
} from "@octet/protocol";
import { createClient } from "@octet/protocol/grpc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type SmallCluster, startSmallCluster } from "./small-cluster.ts";

let cluster: SmallCluster;
beforeAll(async () => {
  cluster = await startSmallCluster();
});
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

const text = { case: "text" as const, value: "Once upon a time" };

async function generate(request: MessageInitShape<typeof GenerateRequestSchema>) {
  const client = createClient(InferenceService, cluster.address);
  const events: GenerateResponse["event"][] = [];
  for await (const { event } of client.generate(request, { deadlineMs: 20_000 }))
    events.push(event);
  client.close();
  const deltas = events.flatMap((event) => (event.case === "delta" ? [event.value] : []));
  return {
    events,
    deltas,
    text: deltas.map((delta) => delta.text).join(""),
    tokenIds: deltas.flatMap((delta) => delta.tokenIds),
    promptScores: events.flatMap((e) => (e.case === "promptLogprobs" ? e.value.tokens : [])),
    finished: events.flatMap((e) => (e.case === "finished" ? [e.value] : []))[0]!,
  };
}

test("logprobs line up with tokens, and their bytes are the answer's text", async () => {
  const { deltas, text: said } = await generate({
    input: text,
    sampling: { seed: 4n },
    stop: { maxTokens: 24, ignoreEos: true },
    output: { topLogprobs: 2 },
    details: true,
  });
  const scores = deltas.flatMap((delta) => {
    expect(delta.logprobs.map(({ chosen }) => chosen?.tokenId)).toEqual(delta.tokenIds);
    return delta.logprobs;
  });
  expect(scores).toHaveLength(24);
  const bytes = Buffer.concat(scores.map(({ chosen }) => chosen!.bytes));
  // A byte that belongs to no character is one U+FFFD in the answer; Buffer may join several.
  expect(bytes.toString().replaceAll("\uFFFD", "")).toBe(said.replaceAll("\uFFFD", ""));
  for (const { top, rank, chosen } of scores) {
    expect(top).toHaveLength(2);
    expect(top[0]!.logprob).toBeGreaterThanOrEqual(top[1]!.logprob);
    if (rank <= 2) expect(top[rank - 1]).toEqual(chosen);
  }
});

test("a prompt is scored with nothing said, as an answer of the same tokens was", async () => {
  const asked = { sampling: { temperature: 0 }, stop: { maxTokens: 12, ignoreEos: true } };
  const said = await generate({ ...asked, input: text, output: { topLogprobs: 3 }, details: true });
  const [started] = said.events;
  const promptIds = started?.case === "started" ? started.value.promptTokenIds : [];
  const ids = [...promptIds, ...said.tokenIds];
  const score = await generate({
    input: { case: "tokens", value: { ids } },
    stop: { maxTokens: 0 },
    output: { promptTopLogprobs: 3 },
  });
  expect(score.promptScores).toHaveLength(ids.length - 1);
  expect(score.promptScores.slice(promptIds.length - 1)).toEqual(
    said.deltas.flatMap((delta) => delta.logprobs),
  );
  expect(score.deltas).toEqual([]);
  expect(score.finished).toMatchObject({ reason: FinishReason.LENGTH, completionTokens: 0 });
});

test("routed experts and progress come when they are asked for", async () => {
  const stop = { maxTokens: 5, ignoreEos: true };
  const { finished, events } = await generate({
    input: text,
    stop,
    output: { routedExperts: true, progress: true },
  });
  const { numTokens, numLayers, numExpertsPerToken, expertIds } = finished.routedExperts!;
  expect(numTokens).toBe(finished.promptTokens + 4);
  expect(expertIds).toHaveLength(numTokens * numLayers * numExpertsPerToken);
  expect(Math.max(...expertIds)).toBeLessThan(cluster.workers.workers.length);
  const progress = events.flatMap((event) => (event.case === "progress" ? [event.value] : []));
  expect(progress.at(-1)?.computedTokens).toBe(finished.promptTokens);
  const plain = await generate({ input: text, stop });
  expect(plain.finished.routedExperts).toBeUndefined();
  expect(plain.events.map((event) => event.case)).not.toContain("progress");
});

test("stop tokens, biases and allowed tokens hold", async () => {
  const biased = await generate({
    input: text,
    sampling: { logitBias: { 9: 100 } },
    stop: { tokenIds: [9], minTokens: 4 },
    details: true,
  });
  expect(biased.tokenIds).toHaveLength(5);
  expect(biased.finished).toMatchObject({ reason: FinishReason.STOP, stopTokenId: 9 });
  const allowed = await generate({
    input: text,
    sampling: { allowedTokenIds: [11, 12, 13] },
    stop: { maxTokens: 9 },
    details: true,
  });
  expect(new Set(allowed.tokenIds).isSubsetOf(new Set([11, 12, 13]))).toBe(true);
});

test("Chat has logprobs of the reply, and of the prompt that its template made", async () => {
  const client = createClient(InferenceService, cluster.address);
  const ask = async (output: MessageInitShape<typeof ChatRequestSchema>["output"]) => {
    const [reply, prompt, promptIds]: [unknown[], TokenLogprobs[], number[]] = [[], [], []];
    const messages = [{ role: "user", content: "hello" }];
    const request = { messages, stop: { maxTokens: 4, ignoreEos: true }, output, details: true };
    for await (const { event } of client.chat(request, { deadlineMs: 20_000 })) {
      if (event.case === "started") promptIds.push(...event.value.promptTokenIds);
      if (event.case === "delta") reply.push(...event.value.logprobs);
      if (event.case === "promptLogprobs") prompt.push(...event.value.tokens);
    }
    return { reply, prompt, promptIds };
  };
  const replied = await ask({ topLogprobs: 0 });
  expect(replied.reply).toHaveLength(4);
  expect(replied.prompt).toEqual([]);
  const { prompt, promptIds, reply } = await ask({ promptTopLogprobs: 1 });
  expect(reply).toEqual([]);
  expect(prompt.map(({ chosen }) => chosen?.tokenId)).toEqual(promptIds.slice(1));
  client.close();
});
