// The gateway as Mistral's own client sees it. Run by node --test; OCTET_BASE_URL says where.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Mistral } from "@mistralai/mistralai";
import { HTTPClient } from "@mistralai/mistralai/lib/http";
import * as errors from "@mistralai/mistralai/models/errors";

const model = "octet-tiny";
const messages = [{ role: "user", content: "Hello! How are you?" }];
const reply = "I am very well, thank you. And you?";
const greedy = { model, temperature: 0, maxTokens: 24 };

const connect = (serverURL = process.env.OCTET_BASE_URL, options = {}) =>
  new Mistral({ serverURL, apiKey: "none", ...options });
const client = connect();

test("models have all that it looks for", async () => {
  const { data } = await client.models.list();
  assert.equal(data[0].type, "base");
  assert.equal(data[0].maxContextLength, 2048);
  const one = await client.models.retrieve({ modelId: model });
  assert.equal(one.capabilities.completionChat, true);
  assert.equal(one.id, model);
});

test("chat", async () => {
  const answer = await client.chat.complete({ ...greedy, messages });
  assert.equal(answer.choices[0].message.content, reply);
  assert.equal(answer.choices[0].finishReason, "stop");
  assert.equal(answer.usage.totalTokens, 29);
});

test("chat, streamed, with usage", async () => {
  let text = "";
  let last;
  for await (const { data } of await client.chat.stream({ ...greedy, messages })) {
    text += data.choices[0].delta.content ?? "";
    last = data;
  }
  assert.equal(text, reply);
  assert.equal(last.choices[0].finishReason, "stop");
  assert.equal(last.usage.completionTokens, 13);
});

test("a system message, a prefix, a seed and a stop", async () => {
  const begun = { role: "assistant", content: "I am very well", prefix: true };
  const answer = await client.chat.complete({ ...greedy, messages: [...messages, begun] });
  assert.equal(answer.choices[0].message.content, reply);
  const system = [{ role: "system", content: "Be kind." }, ...messages];
  const options = { model, messages: system, maxTokens: 8, temperature: 0.9, randomSeed: 5 };
  const first = await client.chat.complete(options);
  const again = await client.chat.complete(options);
  assert.equal(again.choices[0].message.content, first.choices[0].message.content);
  const stopped = await client.chat.complete({ ...greedy, messages, stop: " very" });
  assert.equal(stopped.choices[0].message.content, "I am");
});

test("a tool is called, whole and streamed, and its result goes back", async () => {
  const parameters = {
    type: "object",
    properties: { city: { enum: ["Oslo", "Rome"] } },
    required: ["city"],
  };
  const tools = [{ type: "function", function: { name: "get_weather", parameters } }];
  const options = {
    model,
    messages,
    maxTokens: 400,
    randomSeed: 7,
    tools,
    parallelToolCalls: false,
  };
  const { choices } = await client.chat.complete({ ...options, toolChoice: "any" });
  assert.equal(choices[0].finishReason, "tool_calls");
  const [call] = choices[0].message.toolCalls;
  assert.equal(call.function.name, "get_weather");
  assert.match(call.id, /^[a-zA-Z0-9]{9}$/);
  const streamed = [];
  for await (const { data } of await client.chat.stream({ ...options, toolChoice: "any" })) {
    streamed.push(...(data.choices[0]?.delta.toolCalls ?? []));
  }
  assert.deepEqual(
    streamed.map(({ id, function: { arguments: given } }) => [id, given]),
    [[call.id, call.function.arguments]],
  );
  const result = { role: "tool", toolCallId: call.id, name: "get_weather", content: "rain" };
  const next = await client.chat.complete({
    ...options,
    messages: [...messages, choices[0].message, result],
    toolChoice: "none",
    maxTokens: 8,
  });
  assert.equal(typeof next.choices[0].message.content, "string");
});

test("a JSON Schema is kept to", async () => {
  const schemaDefinition = {
    type: "object",
    properties: { mood: { enum: ["glad", "sad"] } },
    required: ["mood"],
  };
  const jsonSchema = { name: "mood", schemaDefinition, strict: true };
  const responseFormat = { type: "json_schema", jsonSchema };
  const options = { model, messages, maxTokens: 60, randomSeed: 1, responseFormat };
  const { choices } = await client.chat.complete(options);
  assert.ok(["glad", "sad"].includes(JSON.parse(choices[0].message.content).mood));
});

test("errors have a status and a body", async () => {
  const asked = client.chat.complete({ ...greedy, messages, model: "mistral-large" });
  await assert.rejects(asked, (error) => {
    assert.ok(error instanceof errors.MistralError);
    assert.equal(error.statusCode, 404);
    assert.equal(JSON.parse(error.body).code, "model_not_found");
    return true;
  });
  const stream = client.chat.stream({ ...greedy, messages, maxTokens: 4000 });
  await assert.rejects(stream, (error) => error.statusCode === 400);
  const fim = client.fim.complete({ model, prompt: "a", suffix: "b" });
  await assert.rejects(fim, (error) => JSON.parse(error.body).code === "not_supported");
});

/** Asks for an answer that its model does not end, which Mistral's API has no word for. */
const endless = new HTTPClient({
  fetcher: async (request) => {
    const body = JSON.stringify({ ...(await request.json()), ignore_eos: true });
    return fetch(new Request(request, { body }));
  },
});

test("a stream that is left ends its work, and a refused request is retried", async () => {
  const busy = process.env.OCTET_BUSY_URL;
  const story = [{ role: "user", content: "Tell me a story." }];
  const abort = new AbortController();
  const stream = await connect(busy, { httpClient: endless }).chat.stream(
    { model, messages: story, maxTokens: 1500, temperature: 1 },
    { fetchOptions: { signal: abort.signal } },
  );
  await assert.rejects(connect(busy).chat.complete({ ...greedy, messages }), { statusCode: 503 });
  const retryConfig = {
    strategy: "backoff",
    backoff: { initialInterval: 100, maxInterval: 1000, exponent: 1.5, maxElapsedTime: 20_000 },
    retryConnectionErrors: true,
  };
  const waiting = connect(busy, { retryConfig }).chat.complete({ ...greedy, messages });
  abort.abort();
  await assert.rejects(async () => {
    for await (const _ of stream);
  });
  assert.equal((await waiting).choices[0].message.content, reply);
});
