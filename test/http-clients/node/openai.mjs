// The gateway as OpenAI's own client for Node sees it. Run by node --test; OCTET_BASE_URL says where.
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";

const model = "octet-tiny";
const messages = [{ role: "user", content: "Hello! How are you?" }];
const reply = "I am very well, thank you. And you?";
const greedy = { model, temperature: 0, max_tokens: 24 };

const connect = (baseURL = process.env.OCTET_BASE_URL, options = {}) =>
  new OpenAI({ baseURL: `${baseURL}/v1`, apiKey: "none", maxRetries: 0, ...options });
const client = connect();

/** One answer at a time. */
const busy = (options) => connect(process.env.OCTET_BUSY_URL, options);
const long = { model, prompt: "Once", max_tokens: 2000, ignore_eos: true, stream: true };

test("models", async () => {
  const names = [];
  for await (const each of client.models.list()) names.push(each.id);
  assert.deepEqual(names, [model]);
  assert.equal((await client.models.retrieve(model)).id, model);
});

test("chat", async () => {
  const answer = await client.chat.completions.create({ ...greedy, messages });
  assert.equal(answer.choices[0].message.content, reply);
  assert.equal(answer.choices[0].finish_reason, "stop");
  assert.equal(answer.usage.total_tokens, 29);
  assert.ok(answer._request_id);
});

test("chat, streamed", async () => {
  const stream = await client.chat.completions.create({ ...greedy, messages, stream: true });
  let text = "";
  let reason;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? "";
    reason = chunk.choices[0]?.finish_reason ?? reason;
  }
  assert.equal(text, reply);
  assert.equal(reason, "stop");
});

test("chat, by the stream helper, with usage", async () => {
  const stream = client.chat.completions.stream({
    ...greedy,
    messages,
    stream_options: { include_usage: true },
  });
  const answer = await stream.finalChatCompletion();
  assert.equal(answer.choices[0].message.content, reply);
  assert.equal(answer.usage.completion_tokens, 13);
});

test("parameters: system and developer, parts, stop, seed, penalties", async () => {
  const parts = [
    { type: "text", text: "Hello! " },
    { type: "text", text: "How are you?" },
  ];
  const roles = [
    { role: "developer", content: "Be kind." },
    { role: "user", content: parts },
  ];
  const options = { model, messages: roles, max_completion_tokens: 12, temperature: 0.8, seed: 3 };
  const first = await client.chat.completions.create({ ...options, frequency_penalty: 0.5 });
  const again = await client.chat.completions.create({ ...options, frequency_penalty: 0.5 });
  assert.deepEqual(again.choices, first.choices);
  const stopped = await client.chat.completions.create({ ...greedy, messages, stop: [" very"] });
  assert.equal(stopped.choices[0].message.content, "I am");
});

test("completions: one, several, ids, echo, streamed", async () => {
  const options = { ...greedy, max_tokens: 6 };
  const one = await client.completions.create({ ...options, prompt: "Once upon" });
  assert.equal(one.choices[0].finish_reason, "length");
  const two = await client.completions.create({ ...options, prompt: ["Once upon", "The dog"] });
  assert.equal(two.choices[0].text, one.choices[0].text);
  assert.equal(two.choices.length, 2);
  const echoed = await client.completions.create({ ...options, prompt: "Once upon", echo: true });
  assert.equal(echoed.choices[0].text, `Once upon${one.choices[0].text}`);
  let text = "";
  const stream = await client.completions.create({ ...options, prompt: "Once upon", stream: true });
  for await (const chunk of stream) text += chunk.choices[0]?.text ?? "";
  assert.equal(text, one.choices[0].text);
});

const weather = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather of a city.",
    parameters: {
      type: "object",
      properties: { city: { enum: ["Oslo", "Rome"] } },
      required: ["city"],
    },
  },
};
const calling = { model, messages, max_tokens: 400, seed: 7, tools: [weather] };

function assertWeatherCall(call) {
  assert.equal(call.function.name, "get_weather");
  assert.match(call.id, /^[a-zA-Z0-9]{9}$/);
  assert.ok(["Oslo", "Rome"].includes(JSON.parse(call.function.arguments).city));
}

test("a tool is called, whole and streamed, and its result goes back", async () => {
  const options = { ...calling, tool_choice: "required", parallel_tool_calls: false };
  const whole = await client.chat.completions.create(options);
  const { message, finish_reason } = whole.choices[0];
  assert.equal(finish_reason, "tool_calls");
  assertWeatherCall(message.tool_calls[0]);
  const streamed = await client.chat.completions.stream(options).finalChatCompletion();
  assert.equal(streamed.choices[0].finish_reason, "tool_calls");
  assert.equal(streamed.choices[0].message.tool_calls[0].id, message.tool_calls[0].id);
  assertWeatherCall(streamed.choices[0].message.tool_calls[0]);
  const result = { role: "tool", tool_call_id: message.tool_calls[0].id, content: "rain" };
  const next = await client.chat.completions.create({
    ...calling,
    messages: [...messages, message, result],
    tool_choice: "none",
    max_tokens: 8,
  });
  assert.equal(typeof next.choices[0].message.content, "string");
});

test("a tool runner calls the function with what the model chose", async () => {
  const cities = [];
  const runner = client.chat.completions.runTools({
    ...calling,
    parallel_tool_calls: false,
    tool_choice: { type: "function", function: { name: "get_weather" } },
    tools: [
      {
        ...weather,
        function: {
          ...weather.function,
          parse: JSON.parse,
          function: ({ city }) => {
            cities.push(city);
            return "rain";
          },
        },
      },
    ],
  });
  await runner.done();
  assert.ok(cities.length > 0 && cities.every((city) => ["Oslo", "Rome"].includes(city)));
});

test("a JSON Schema is kept to, whole and streamed", async () => {
  const schema = {
    type: "object",
    properties: { mood: { enum: ["glad", "sad"] } },
    required: ["mood"],
    additionalProperties: false,
  };
  const response_format = {
    type: "json_schema",
    json_schema: { name: "mood", schema, strict: true },
  };
  const options = { model, messages, max_tokens: 60, seed: 1, response_format };
  const whole = await client.chat.completions.parse(options);
  assert.ok(["glad", "sad"].includes(whole.choices[0].message.parsed.mood));
  const streamed = await client.chat.completions.stream(options).finalChatCompletion();
  assert.deepEqual(streamed.choices[0].message.parsed, whole.choices[0].message.parsed);
  const bad = { ...response_format, json_schema: { name: "mood", schema: { not: {} } } };
  await assert.rejects(client.chat.completions.create({ ...options, response_format: bad }), {
    status: 400,
    code: "invalid_grammar",
    param: "response_format",
  });
});

test("log-probabilities, and several answers", async () => {
  const options = { ...greedy, messages, logprobs: true, top_logprobs: 2 };
  const [choice] = (await client.chat.completions.create(options)).choices;
  const tokens = choice.logprobs.content;
  const bytes = tokens.flatMap((token) => token.bytes);
  assert.equal(Buffer.from(bytes).toString(), reply);
  assert.ok(tokens.every((token) => token.top_logprobs.length === 2 && token.logprob <= 0));
  const several = await client.chat.completions.create({
    ...options,
    temperature: 1,
    n: 3,
    seed: 2,
  });
  assert.deepEqual(
    several.choices.map(({ index }) => index),
    [0, 1, 2],
  );
});

test("errors come as the class that they are", async () => {
  const chat = (options) => client.chat.completions.create({ ...greedy, messages, ...options });
  await assert.rejects(chat({ temperature: -1 }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.code, "invalid_parameter");
    assert.equal(error.param, "temperature");
    assert.ok(error.requestID);
    return true;
  });
  await assert.rejects(chat({ max_tokens: 4000, stream: true }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    return error.code === "context_length_exceeded";
  });
  await assert.rejects(chat({ model: "gpt-5" }), (error) => {
    assert.ok(error instanceof OpenAI.NotFoundError);
    return error.code === "model_not_found";
  });
  await assert.rejects(connect("http://127.0.0.1:1").models.list(), OpenAI.APIConnectionError);
});

test("a loading server is an error that may be retried", async () => {
  const loading = connect(process.env.OCTET_LOADING_URL);
  await assert.rejects(loading.completions.create({ model, prompt: "a" }), (error) => {
    assert.ok(error instanceof OpenAI.InternalServerError);
    assert.equal(error.status, 503);
    assert.equal(error.headers.get("retry-after"), "1");
    return error.code === "model_loading";
  });
});

test("a stream that is left ends its work, and a refused request is retried until then", async () => {
  const stream = await busy().completions.create(long);
  const refused = busy().completions.create({ model, prompt: "a", max_tokens: 2 });
  await assert.rejects(refused, { status: 503, code: "overloaded" });
  const waiting = busy({ maxRetries: 5 }).completions.create({ ...greedy, prompt: "Once upon" });
  for await (const _ of stream) break;
  assert.ok((await waiting).choices[0].text.length > 0);
});

test("a request that is aborted, or takes too long, ends its work", async () => {
  const abort = new AbortController();
  const aborted = busy().completions.create({ ...long, stream: false }, { signal: abort.signal });
  setTimeout(() => abort.abort(), 200);
  await assert.rejects(aborted, OpenAI.APIUserAbortError);
  const patient = busy({ maxRetries: 5 });
  await patient.completions.create({ model, prompt: "a", max_tokens: 1 }); // it is free again
  const late = busy({ timeout: 100, maxRetries: 0 }).completions.create({ ...long, stream: false });
  await assert.rejects(late, OpenAI.APIConnectionTimeoutError);
  const next = await patient.completions.create({ ...greedy, prompt: "Once upon" });
  assert.ok(next.choices[0].text.length > 0);
});
