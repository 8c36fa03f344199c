// Constraints and tools by HTTP, under every name that clients have for them.
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventsOf, GatewayCluster } from "./gateway-cluster.ts";
import { answerOf, type Json, refusalOf } from "./read-answers.ts";

let cluster: GatewayCluster;

beforeAll(async () => {
  cluster = await GatewayCluster.start();
}, 120_000);
afterAll(() => cluster?.[Symbol.asyncDispose]());

const chat = "/v1/chat/completions";
const hello = [{ role: "user", content: "Hello! How are you?" }];
const asking = { messages: hello, max_tokens: 400, seed: 7 };
const answer = (body: object) => answerOf(cluster, chat, body);
const refusal = (body: object) => refusalOf(cluster, chat, body);

async function streamOf(body: object): Promise<Json[]> {
  const response = await cluster.post(chat, { ...body, stream: true });
  return eventsOf(await response.text());
}

const textOf = (json: Json): string => json.choices[0].message.content;

const schema = {
  type: "object",
  properties: {
    mood: { enum: ["glad", "sad"] },
    age: { type: "integer", minimum: 1, maximum: 99 },
  },
  required: ["mood", "age"],
};

function expectMood(text: string): void {
  const { mood, age, ...rest } = JSON.parse(text);
  expect(["glad", "sad"]).toContain(mood);
  expect(age).toBeGreaterThanOrEqual(1);
  expect(age).toBeLessThanOrEqual(99);
  expect(rest).toEqual({});
}

test.each<[name: string, asked: object]>([
  ["OpenAI", { response_format: { type: "json_schema", json_schema: { name: "mood", schema } } }],
  ["llama-server, unwrapped", { response_format: { type: "json_schema", schema } }],
  ["llama-server, beside the rest", { json_schema: schema }],
  ["vLLM", { structured_outputs: { json: schema } }],
  ["vLLM, as text", { structured_outputs: { json: JSON.stringify(schema) } }],
  ["vLLM, long ago", { guided_json: schema }],
])("a schema as %s has it is kept to", async (_name, asked) => {
  const json = await answer({ ...asking, ...asked });
  expect(json.choices[0].finish_reason).toBe("stop");
  expectMood(textOf(json));
});

test.each<[name: string, asked: object, expected: RegExp]>([
  ["JSON mode", { response_format: { type: "json_object" } }, /^\s*\{/],
  ["a choice", { structured_outputs: { choice: ["red", "blue"] } }, /^(red|blue)$/],
  ["a choice, long ago", { guided_choice: ["red", "blue"] }, /^(red|blue)$/],
  ["an expression", { structured_outputs: { regex: "[ab]{3}c" } }, /^[ab]{3}c$/],
  ["an expression, long ago", { guided_regex: "[ab]{3}c" }, /^[ab]{3}c$/],
  ["a grammar", { structured_outputs: { grammar: 'root ::= "x" [0-9] "y"' } }, /^x[0-9]y$/],
  ["a grammar, long ago", { guided_grammar: 'root ::= "x" [0-9] "y"' }, /^x[0-9]y$/],
  ["llama-server's grammar", { grammar: 'root ::= "x" [0-9] "y"' }, /^x[0-9]y$/],
  ["an empty grammar, which is none", { grammar: "" }, /./],
  ["text", { response_format: { type: "text" } }, /./],
])("%s is kept to, in one piece and streamed", async (_name, asked, expected) => {
  const whole = textOf(await answer({ ...asking, ...asked }));
  expect(whole).toMatch(expected);
  const chunks = await streamOf({ ...asking, ...asked });
  const streamed = chunks.map((chunk: Json) => chunk.choices?.[0]?.delta?.content ?? "").join("");
  expect(streamed).toBe(whole);
});

test("a completion keeps to a constraint too", async () => {
  const body = { prompt: "Once", max_tokens: 20, guided_choice: ["red", "blue"], seed: 1 };
  const json = await answerOf(cluster, "/v1/completions", body);
  expect(["red", "blue"]).toContain(json.choices[0].text);
});

const tools = [
  {
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
  },
  {
    type: "function",
    function: { name: "get_time", parameters: { type: "object", additionalProperties: false } },
  },
];

function expectWeatherCall(call: Json): void {
  expect(call).toMatchObject({ type: "function", function: { name: "get_weather" } });
  expect(call.id).toMatch(/^[a-zA-Z0-9]{9}$/);
  expect(["Oslo", "Rome"]).toContain(JSON.parse(call.function.arguments).city);
}

test("a named tool is called, streamed too, and its result goes on the conversation", async () => {
  const tool_choice = { type: "function", function: { name: "get_weather" } };
  const body = { ...asking, tools, tool_choice, parallel_tool_calls: false };
  const [choice] = (await answer(body)).choices;
  expect(choice).toMatchObject({ finish_reason: "tool_calls", message: { content: null } });
  expect(choice.message.tool_calls).toHaveLength(1);
  const call = choice.message.tool_calls[0];
  expectWeatherCall(call);

  const chunks = await streamOf(body);
  const choices = chunks.flatMap((chunk: Json) => chunk.choices ?? []);
  const streamed = choices.flatMap((each: Json) => each.delta.tool_calls ?? []);
  expect(streamed).toEqual([{ index: 0, ...call }]);
  expect(choices.at(-1).finish_reason).toBe("tool_calls");

  const turns = [
    ...hello,
    choice.message,
    { role: "tool", tool_call_id: call.id, name: "get_weather", content: "rain" },
  ];
  const next = await answer({ messages: turns, tools, tool_choice: "none", max_tokens: 5 });
  expect(next.choices[0].message.tool_calls).toBeUndefined();
  const template = await answerOf(cluster, "/apply-template", { messages: turns });
  expect(template.prompt).toContain("rain");
});

test("several answers each call tools of their own, the first as if alone; streamed too", async () => {
  const body = { ...asking, tools, tool_choice: "required", n: 3, temperature: 1.5 };
  const [alone] = (await answer({ ...body, n: 1 })).choices;
  const { choices, usage } = await answer(body);
  expect(choices.map(({ index }: Json) => index)).toEqual([0, 1, 2]);
  expect(choices[0]).toEqual(alone);
  const calls: Json[][] = choices.map(({ message }: Json) => message.tool_calls);
  for (const call of calls.flat()) {
    if (call.function.name === "get_weather") expectWeatherCall(call);
    else expect([call.function.name, call.function.arguments]).toEqual(["get_time", "{}"]);
  }
  const ids = calls.flat().map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(new Set(calls.map((each) => JSON.stringify(each.map((c) => c.function)))).size).toBe(3);

  const chunks = await streamOf({ ...body, stream_options: { include_usage: true } });
  const streamed: Json[][] = [[], [], []];
  const reasons: string[] = [];
  for (const { index, delta, finish_reason } of chunks.flatMap((chunk) => chunk.choices ?? [])) {
    for (const { index: at, ...call } of delta.tool_calls ?? []) {
      expect(at).toBe(streamed[index]!.length);
      streamed[index]!.push(call);
    }
    if (finish_reason !== null) reasons[index] = finish_reason;
  }
  expect(streamed).toEqual(calls);
  expect(reasons).toEqual(choices.map(({ finish_reason }: Json) => finish_reason));
  expect(chunks.at(-1)!.usage).toMatchObject({
    prompt_tokens: usage.prompt_tokens,
    completion_tokens: usage.completion_tokens,
  });
});

test("several calls of one answer are numbered as they come", async () => {
  // The model ends its list late, or not before its tokens do: each call is whole all the same.
  const chunks = await streamOf({ ...asking, tools, tool_choice: "required" });
  const calls = chunks.flatMap((chunk: Json) => chunk.choices?.[0]?.delta?.tool_calls ?? []);
  expect(calls.length).toBeGreaterThan(1);
  expect(calls.map(({ index }: Json) => index)).toEqual([...calls.keys()]);
  expect(new Set(calls.map(({ id }: Json) => id)).size).toBe(calls.length);
});

test.each(["required", "any"])(
  "with %s there is a call, and n answers have each their own",
  async (tool_choice) => {
    const { choices } = await answer({
      ...asking,
      tools,
      tool_choice,
      n: 3,
      parallel_tool_calls: false,
    });
    const ids = choices.map((choice: Json) => {
      expect(choice.finish_reason).toBe("tool_calls");
      expect(choice.message.tool_calls.length).toBeGreaterThan(0);
      return choice.message.tool_calls[0].id;
    });
    expect(new Set(ids).size).toBe(3);
  },
);

test.each<[name: string, asked: object, expected: object]>([
  [
    "a keyword that cannot be kept to",
    { response_format: { type: "json_schema", json_schema: { schema: { not: {} } } } },
    { code: "invalid_grammar", param: "response_format" },
  ],
  [
    "a broken expression",
    { guided_regex: "(a" },
    { code: "invalid_grammar", param: "guided_regex" },
  ],
  [
    "a broken grammar",
    { structured_outputs: { grammar: "root ::= (" } },
    { code: "invalid_grammar", param: "structured_outputs.grammar" },
  ],
  [
    "a schema that is no JSON",
    { structured_outputs: { json: "{" } },
    { code: "invalid_grammar", param: "structured_outputs.json" },
  ],
  [
    "no schema",
    { response_format: { type: "json_schema" } },
    { code: "invalid_parameter", param: "response_format.json_schema.schema" },
  ],
  [
    "an unknown format",
    { response_format: { type: "xml" } },
    { code: "invalid_parameter", param: "response_format.type" },
  ],
  [
    "two constraints",
    { guided_regex: "a", response_format: { type: "json_object" } },
    { code: "invalid_parameter", param: "guided_regex" },
  ],
  [
    "nothing to choose",
    { guided_choice: [] },
    { code: "invalid_parameter", param: "guided_choice" },
  ],
  ["a constraint without an end", { guided_regex: "a", ignore_eos: true }, { status: 400 }],
  [
    "a tool required where there is none",
    { tool_choice: "required" },
    { code: "invalid_parameter", param: "tool_choice" },
  ],
  [
    "a tool that is not there",
    { tools, tool_choice: { type: "function", function: { name: "x" } } },
    { code: "invalid_parameter", param: "tool_choice" },
  ],
  [
    "a tool without a name",
    { tools: [{ type: "function", function: {} }] },
    { code: "invalid_parameter", param: "tools[0].function.name" },
  ],
  ["tools beside a constraint", { tools, guided_regex: "a" }, { param: "guided_regex" }],
  [
    "a result that nobody asked for",
    { messages: [...hello, { role: "tool", tool_call_id: "abc", content: "1" }] },
    { code: "invalid_parameter", param: "messages[1]" },
  ],
])("%s is refused where it is wrong", async (_name, asked, expected) => {
  const found = await refusal({ ...asking, ...asked });
  expect(found).toMatchObject({ status: 400, ...expected });
  expect(found.message.length).toBeGreaterThan(20);
});
