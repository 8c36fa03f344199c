// What the gateway's answers carry besides text, and several answers at once, from real processes.
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventsOf, GatewayCluster } from "./gateway-cluster.ts";
import { answerOf, type Json } from "./read-answers.ts";

let cluster: GatewayCluster;

beforeAll(async () => {
  cluster = await GatewayCluster.start();
}, 120_000);
afterAll(() => cluster?.[Symbol.asyncDispose]());

const hello = [{ role: "user", content: "Hello! How are you?" }];
const greedy = { temperature: 0, max_tokens: 24 };
const answer = (path: string, body: object) => answerOf(cluster, path, body);

test("log-probabilities of a chat have bytes, and are the same streamed", async () => {
  const body = { messages: hello, ...greedy, logprobs: true, top_logprobs: 2 };
  const whole = (await answer("/v1/chat/completions", body)).choices[0];
  const content: Json[] = whole.logprobs.content;
  expect(content).toHaveLength(13);
  const bytes = content.flatMap((token) => token.bytes);
  expect(Buffer.from(bytes).toString()).toBe(whole.message.content);
  for (const { token, logprob, top_logprobs } of content) {
    expect(logprob).toBeLessThanOrEqual(0);
    expect(top_logprobs[0]).toMatchObject({ token, logprob });
    expect(top_logprobs).toHaveLength(2);
  }
  const streamed = await cluster.post("/v1/chat/completions", { ...body, stream: true });
  const events: Json[] = eventsOf(await streamed.text());
  expect(events.flatMap(({ choices }) => choices[0].logprobs?.content ?? [])).toEqual(content);
});

test("an echoed prompt has log-probabilities but for its first token, and may be all", async () => {
  const body = {
    prompt: "Once upon a time",
    temperature: 0,
    max_tokens: 3,
    echo: true,
    logprobs: 1,
  };
  const { logprobs, text } = (await answer("/v1/completions", body)).choices[0];
  const { tokens } = await answer("/tokenize", { prompt: "Once upon a time" });
  expect(logprobs.token_logprobs).toHaveLength(tokens.length + 3);
  expect(logprobs.token_logprobs[0]).toBeNull();
  expect(logprobs.token_logprobs.slice(1).every((each: number) => each <= 0)).toBe(true);
  expect(logprobs.tokens.join("")).toBe(text);
  logprobs.tokens.forEach((token: string, index: number) => {
    const offset = logprobs.text_offset[index];
    expect(text.slice(offset, offset + token.length)).toBe(token);
  });
  const scored = (await answer("/v1/completions", { ...body, max_tokens: 0 })).choices[0];
  expect(scored.text).toBe("Once upon a time");
  expect(scored.logprobs.token_logprobs).toEqual(logprobs.token_logprobs.slice(0, tokens.length));
  const streamed = await cluster.post("/v1/completions", { ...body, stream: true });
  const events: Json[] = eventsOf(await streamed.text());
  const of = (name: string) => events.flatMap(({ choices }) => choices[0].logprobs?.[name] ?? []);
  expect(of("token_logprobs")).toEqual(logprobs.token_logprobs);
  expect(of("text_offset")).toEqual(logprobs.text_offset);
});

test("vLLM's prompt_logprobs, and experts as a NumPy file", async () => {
  const body = { prompt: "Once upon", temperature: 0, max_tokens: 3, prompt_logprobs: 1 };
  const json = await answer("/v1/completions", { ...body, routed_experts: true });
  const { prompt_logprobs, routed_experts } = json.choices[0];
  const { tokens } = await answer("/tokenize", { prompt: "Once upon" });
  expect(prompt_logprobs).toHaveLength(tokens.length);
  expect(prompt_logprobs[0]).toBeNull();
  expect(prompt_logprobs[1][tokens[1]]).toMatchObject({ rank: expect.any(Number) });
  const file = Buffer.from(routed_experts, "base64");
  const headerBytes = 10 + file.readUInt16LE(8);
  expect(file.subarray(1, 6).toString()).toBe("NUMPY");
  expect(headerBytes % 64).toBe(0);
  const numTokens = tokens.length + 2;
  expect(file.subarray(10, headerBytes).toString()).toContain(`'shape': (${numTokens}, 4, 2)`);
  expect(file.length - headerBytes).toBe(numTokens * 4 * 2);
  expect(Math.max(...file.subarray(headerBytes))).toBeLessThan(8);
});

test("a stream says how far its prompt is", async () => {
  const body = { prompt: "hello there ".repeat(300), max_tokens: 1, stream: true };
  const response = await cluster.post("/v1/completions", { ...body, return_progress: true });
  const events: Json[] = eventsOf(await response.text());
  const progress = events.flatMap((event) => event.prompt_progress ?? []);
  expect(progress.length).toBeGreaterThan(1);
  expect(progress.at(-1).processed).toBe(progress.at(-1).total);
});

test("several answers to each prompt: the first is the one alone, streamed or not", async () => {
  const body = { prompt: ["Once upon", "The dog"], max_tokens: 6, seed: 9, logprobs: 0 };
  const alone = await answer("/v1/completions", body);
  const many = await answer("/v1/completions", { ...body, n: 3 });
  const texts = many.choices.map((choice: Json) => choice.text);
  expect(many.choices.map((choice: Json) => choice.index)).toEqual([0, 1, 2, 3, 4, 5]);
  expect([texts[0], texts[3]]).toEqual(alone.choices.map((choice: Json) => choice.text));
  expect(new Set(texts).size).toBeGreaterThan(2);
  expect(many.usage.prompt_tokens).toBe(alone.usage.prompt_tokens);
  expect(many.usage.completion_tokens).toBe(36);
  const streamed = await cluster.post("/v1/completions", { ...body, n: 3, stream: true });
  const choices: Json[] = eventsOf(await streamed.text()).flatMap((event: Json) => event.choices);
  const textOf = (index: number) =>
    choices.map((choice) => (choice.index === index ? choice.text : "")).join("");
  expect(texts.map((_: string, index: number) => textOf(index))).toEqual(texts);
  expect(choices.filter((choice) => choice.finish_reason !== null)).toHaveLength(6);
});
