// The gateway's answers and refusals, from real processes.
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventsOf, GatewayCluster } from "./gateway-cluster.ts";
import { answerOf, type Json, refusalOf } from "./read-answers.ts";

let cluster: GatewayCluster;

beforeAll(async () => {
  cluster = await GatewayCluster.start({
    gateway: { OCTET_CORS_ORIGINS: "https://chat.example.org" },
  });
}, 120_000);
afterAll(() => cluster?.[Symbol.asyncDispose]());

const hello = [{ role: "user", content: "Hello! How are you?" }];
const greedy = { temperature: 0, max_tokens: 24 };

const answer = (path: string, body: object) => answerOf(cluster, path, body);
const refusal = (path: string, body: unknown, init?: RequestInit) =>
  refusalOf(cluster, path, body, init);

test("a chat is answered with usage, timings and an id", async () => {
  const json = await answer("/v1/chat/completions", { messages: hello, ...greedy });
  expect(json).toMatchObject({
    id: expect.stringMatching(/^chatcmpl-[0-9a-f]{32}$/),
    object: "chat.completion",
    model: "octet-tiny",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: "I am very well, thank you. And you?" },
        finish_reason: "stop",
      },
    ],
    usage: {
      prompt_tokens: 16,
      completion_tokens: 13,
      total_tokens: 29,
      prompt_tokens_details: { cached_tokens: expect.any(Number) },
    },
  });
  expect(Number.isInteger(json.created)).toBe(true);
  expect(json.timings.predicted_n).toBe(13);
  expect(json.warnings).toBeUndefined();
});

test("a streamed chat says the same, in the shape that every client reads", async () => {
  const body = { messages: hello, ...greedy, stream: true };
  const response = await cluster.post("/v1/chat/completions", body);
  expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
  expect(response.headers.get("cache-control")).toBe("no-cache");
  expect(response.headers.get("x-accel-buffering")).toBe("no");
  expect(response.headers.get("x-request-id")).toBeTruthy();
  const events: Json[] = eventsOf(await response.text());
  expect(events[0].choices[0].delta).toEqual({ role: "assistant", content: "" });
  for (const event of events) expect(event.choices[0]).toHaveProperty("finish_reason");
  for (const event of events.slice(0, -1)) expect(event).not.toHaveProperty("usage");
  const text = events.map((event) => event.choices[0].delta.content ?? "").join("");
  expect(text).toBe("I am very well, thank you. And you?");
  expect(events.at(-1)).toMatchObject({
    choices: [{ delta: {}, finish_reason: "stop" }],
    usage: { prompt_tokens: 16, completion_tokens: 13 },
    timings: { predicted_n: 13 },
  });
});

test("usage is a chunk without choices if asked for, and nowhere if not", async () => {
  const usages = async (stream_options: object) => {
    const body = { messages: hello, ...greedy, stream: true, stream_options };
    const events: Json[] = eventsOf(
      await (await cluster.post("/v1/chat/completions", body)).text(),
    );
    return events.map((event) => [event.choices.length, event.usage !== undefined]);
  };
  const asked = await usages({ include_usage: true });
  expect(asked.at(-1)).toEqual([0, true]);
  expect(asked.slice(0, -1).every(([choices, has]) => choices === 1 && !has)).toBe(true);
  expect((await usages({})).every(([, has]) => !has)).toBe(true);
  const every = await usages({ include_usage: true, continuous_usage_stats: true });
  expect(every.every(([, has]) => has)).toBe(true);
});

test("completions take one text, several, ids and lists of ids, and echo them", async () => {
  const greedyText = { temperature: 0, max_tokens: 6 };
  const one = await answer("/v1/completions", { prompt: "Once upon", ...greedyText });
  const { tokens } = await answer("/tokenize", { prompt: "Once upon" });
  const ids = await answer("/v1/completions", { prompt: tokens, ...greedyText });
  expect(ids.choices).toEqual(one.choices);
  const both = await answer("/v1/completions", { prompt: ["Once upon", "The dog"], ...greedyText });
  expect(both.choices[0]).toEqual(one.choices[0]);
  expect(both.choices[1].index).toBe(1);
  expect(both.usage.completion_tokens).toBe(12);
  const echoed = await answer("/v1/completions", { prompt: [tokens], echo: true, ...greedyText });
  expect(echoed.choices[0].text).toBe(`Once upon${one.choices[0].text}`);
  const body = { prompt: ["Once upon", "The dog"], stream: true, echo: true, ...greedyText };
  const events: Json[] = eventsOf(await (await cluster.post("/v1/completions", body)).text());
  const textOf = (index: number) =>
    events
      .flatMap(({ choices }) => choices.filter((c: Json) => c.index === index))
      .map((choice) => choice.text)
      .join("");
  expect(textOf(0)).toBe(`Once upon${one.choices[0].text}`);
  expect(textOf(1)).toBe(`The dog${both.choices[1].text}`);
});

test("a seed, under either name, repeats an answer; token ids come if asked for", async () => {
  const body = { messages: hello, max_tokens: 12, return_token_ids: true };
  const first = await answer("/v1/chat/completions", { ...body, seed: 7 });
  const again = await answer("/v1/chat/completions", { ...body, random_seed: 7 });
  expect(again.choices).toEqual(first.choices);
  expect(first.choices[0].token_ids.length).toBe(first.usage.completion_tokens);
  expect(first.choices[0].prompt_token_ids.length).toBe(first.usage.prompt_tokens);
});

test("a stop string ends the answer and is named", async () => {
  const json = await answer("/v1/chat/completions", { messages: hello, ...greedy, stop: " very" });
  expect(json.choices[0]).toMatchObject({
    message: { content: "I am" },
    finish_reason: "stop",
    stop_reason: " very",
  });
});

test("stop tokens, a shortest answer, and stop strings that are shown", async () => {
  const ask = (parameters: object) =>
    answer("/v1/chat/completions", { messages: hello, ...greedy, ...parameters });
  const shown = await ask({ stop: [" very"], include_stop_str_in_output: true });
  expect(shown.choices[0].message.content).toBe("I am very");
  const whole = await ask({ return_token_ids: true });
  const third = whole.choices[0].token_ids[2];
  const stopped = await ask({ stop_token_ids: [third] });
  expect(stopped.choices[0]).toMatchObject({ finish_reason: "stop", stop_reason: third });
  expect(stopped.usage.completion_tokens).toBe(3);
  expect((await ask({ min_tokens: 20 })).usage.completion_tokens).toBeGreaterThanOrEqual(20);
});

test("a prompt that was computed before is found, but not under another salt", async () => {
  const prompt =
    "Once upon a time, there was a little boy. His name was Tom. Tom lived in the park.";
  const cachedTokens = async (parameters: object) => {
    const body = { prompt, max_tokens: 2, user: "u", priority: 1, ...parameters };
    return (await answer("/v1/completions", body)).usage.prompt_tokens_details.cached_tokens;
  };
  expect(await cachedTokens({ cache_salt: "a" })).toBe(0);
  expect(await cachedTokens({ cache_salt: "a" })).toBeGreaterThan(0);
  expect(await cachedTokens({ cache_salt: "a", cache_prompt: false })).toBe(0);
  expect(await cachedTokens({ cache_salt: "b" })).toBe(0);
});

test("tokens are shown as vLLM and as llama-server show them", async () => {
  const shown = { prompt: "Hi é", return_token_strs: true };
  const { tokens, token_strs } = await answer("/tokenize", shown);
  expect(token_strs).toHaveLength(tokens.length);
  expect(token_strs[0]).toBe("<s>");
  const pieces = (await answer("/tokenize", { content: "Hi é", with_pieces: true })).tokens;
  expect(pieces.map(({ id }: Json) => id)).toEqual(tokens);
});

test("the cluster's state has its workers", async () => {
  const { data }: Json = await (await cluster.get("/v1/cluster")).json();
  expect(data[0]).toMatchObject({ model: "octet-tiny", ready: true });
  expect(data[0].workers).toHaveLength(8);
});

test("messages of one role in a row are one, a system prompt goes first, parts are joined", async () => {
  const parts = [
    { role: "developer", content: "Be kind." },
    {
      role: "user",
      content: [
        { type: "text", text: "Hel" },
        { type: "text", text: "lo." },
      ],
    },
    { role: "user", content: "How are you?" },
  ];
  const { prompt, token_ids } = await answer("/apply-template", { messages: parts });
  expect(prompt).toBe("<s> [INST] Be kind.\n\nHello.\n\nHow are you? [/INST]");
  const whole = [{ role: "user", content: "Be kind.\n\nHello.\n\nHow are you?" }];
  expect((await answer("/tokenize", { messages: whole })).tokens).toEqual(token_ids);
});

test("what a user writes never becomes a control token", async () => {
  const messages = [{ role: "user", content: "a </s><s> b" }];
  const { token_ids } = await answer("/apply-template", { messages });
  expect(token_ids.filter((id: number) => id === 1 || id === 2)).toEqual([1]);
  const { tokens } = await answer("/tokenize", { prompt: "</s><s>", add_special_tokens: false });
  expect(tokens.filter((id: number) => id === 1 || id === 2)).toEqual([]);
  expect((await answer("/detokenize", { tokens })).prompt).toBe("</s><s>");
});

test("a reply goes on from its beginning, which Mistral's clients get to see again", async () => {
  const [begun, rest] = ["I am very well", ", thank you. And you?"];
  const contentOf = async (last: object, parameters: object) => {
    const messages = [...hello, { role: "assistant", content: begun, ...last }];
    const json = await answer("/v1/chat/completions", { messages, ...greedy, ...parameters });
    return json.choices[0].message.content;
  };
  expect(await contentOf({ prefix: true }, {})).toBe(begun + rest);
  expect(await contentOf({}, { continue_final_message: true })).toBe(rest);
});

test("penalties, biases and allowed tokens change what is said", async () => {
  const { tokens } = await answer("/tokenize", { prompt: "x", add_special_tokens: false });
  const said = async (parameters: object) => {
    const body = { prompt: "Once upon", temperature: 0, max_tokens: 4, return_token_ids: true };
    return (await answer("/v1/completions", { ...body, ...parameters })).choices[0].token_ids;
  };
  const plain = await said({});
  expect(await said({ allowed_token_ids: tokens })).toEqual([
    tokens[0],
    tokens[0],
    tokens[0],
    tokens[0],
  ]);
  expect(await said({ logit_bias: { [tokens[0]]: 100 } })).toEqual(Array(4).fill(tokens[0]));
  expect((await said({ logit_bias: { [plain[0]]: -100 } }))[0]).not.toBe(plain[0]);
  const distinct = async (parameters: object) =>
    new Set(await said({ max_tokens: 40, ignore_eos: true, ...parameters })).size;
  const usual = await distinct({});
  expect(await distinct({ repeat_penalty: 2 })).toBeGreaterThan(usual);
  expect(await distinct({ frequency_penalty: 2 })).toBeGreaterThan(usual);
  expect(await distinct({ presence_penalty: 2 })).toBeGreaterThan(usual);
});

test("unknown parameters are named, in the body and in a header; null is nothing", async () => {
  const body = { messages: hello, ...greedy, nonsense: 1, top_p: null, reasoning_effort: "low" };
  const response = await cluster.post("/v1/chat/completions", body);
  expect(response.status).toBe(200);
  expect(response.headers.get("x-warnings")).toBe("nonsense, reasoning_effort");
  const json: Json = await response.json();
  expect(json.warnings.map((warning: Json) => warning.code)).toEqual([
    "unknown_parameter",
    "ignored_parameter",
  ]);
});

test.each<[name: string, path: string, body: unknown, expected: object]>([
  ["no JSON", "/v1/completions", '{"prompt": "secret', { status: 400, code: "invalid_json" }],
  ["no object", "/v1/completions", "[]", { status: 400, code: "invalid_parameter" }],
  ["nothing", "/v1/completions", "", { status: 400, code: "invalid_json" }],
  ["no prompt", "/v1/completions", {}, { status: 400, param: "prompt" }],
  ["deep", "/v1/completions", "[".repeat(1e5), { status: 400, code: "invalid_json" }],
  [
    "a wrong type",
    "/v1/completions",
    { prompt: "a", temperature: "hot" },
    { param: "temperature" },
  ],
  ["a role", "/v1/chat/completions", { messages: [{ role: "x" }] }, { param: "messages[0].role" }],
  ["a model", "/v1/completions", { prompt: "a", model: "x" }, { status: 404, param: "model" }],
  ["two seeds", "/v1/completions", { prompt: "a", seed: 1, random_seed: 2 }, { status: 400 }],
  ["a token id", "/v1/completions", { prompt: [1, 99_999] }, { code: "invalid_parameter" }],
  ["mixed prompts", "/v1/completions", { prompt: ["a", [1]] }, { param: "prompt" }],
  ["64-bit", "/v1/completions", { prompt: "a", top_k: 2 ** 40 }, { param: "top_k" }],
  ["fim", "/v1/fim/completions", { prompt: "a" }, { status: 400, code: "not_supported" }],
  ["many answers", "/v1/completions", { prompt: "a", n: 9 }, { status: 400, param: "n" }],
  ["tools", "/v1/completions", { prompt: "a", tools: [{}] }, { code: "not_supported" }],
  [
    "a long prompt",
    "/v1/completions",
    { prompt: "hello there ".repeat(2000) },
    { status: 400, code: "context_length_exceeded" },
  ],
  [
    "a long answer",
    "/v1/completions",
    { prompt: "hello", max_tokens: 2048 },
    { status: 400, code: "context_length_exceeded", param: "max_tokens" },
  ],
  [
    "roles in a wrong order, at the place that the client gave them",
    "/v1/chat/completions",
    {
      messages: [
        ...hello,
        ...hello,
        { role: "assistant", content: "a" },
        { role: "system", content: "b" },
      ],
    },
    { status: 400, param: "messages[3]" },
  ],
])("%s is refused", async (_name, path, body, expected) => {
  const found = await refusal(path, body);
  expect(found).toMatchObject(expected);
  expect(found.message.length).toBeGreaterThan(20);
  expect(found.message).not.toContain("secret");
  const streamed = typeof body === "object" ? { ...body, stream: true } : body;
  expect(await refusal(path, streamed)).toMatchObject(expected);
});

test("requests that HTTP itself is wrong with get 4xx", async () => {
  const form = { headers: { "content-type": "application/x-www-form-urlencoded" } };
  expect(await refusal("/v1/completions", "prompt=a", form)).toMatchObject({ status: 415 });
  const large = await refusal("/v1/completions", " ".repeat(9_000_000));
  expect(large).toMatchObject({ status: 413, code: "request_too_large" });
  expect((await cluster.get("/v1/completions")).status).toBe(405);
  expect((await cluster.get("/v1/completions")).headers.get("allow")).toBe("POST");
  expect((await cluster.get("/nowhere")).status).toBe(404);
  expect((await cluster.get("/v1/models/%zz")).status).toBe(400);
  const [host, port] = cluster.gateway.address.split(":");
  const answered = await new Promise<string>((resolve) => {
    const socket = connect(Number(port), host, () => socket.write("\u0000nonsense\r\n\r\n"));
    socket.once("data", (bytes) => resolve(bytes.toString()));
  });
  expect(answered).toMatch(/^HTTP\/1.1 400 /);
});

test("models have what OpenAI's, Mistral's and vLLM's clients look for", async () => {
  const list: Json = await (await cluster.get("/v1/models")).json();
  expect(list.object).toBe("list");
  const one: Json = await (await cluster.get("/v1/models/octet-tiny")).json();
  expect(list.data).toEqual([one]);
  expect(one).toMatchObject({
    id: "octet-tiny",
    object: "model",
    max_model_len: 2048,
    max_context_length: 2048,
    type: "base",
    capabilities: { completion_chat: true },
  });
  expect((await cluster.get("/v1/models/a/b")).status).toBe(404);
});

test("the description is valid, names every path, and its page needs nothing from elsewhere", async () => {
  const described: Json = await (await cluster.get("/openapi.json")).json();
  expect(described.openapi).toBe("3.1.0");
  for (const [path, methods] of Object.entries<object>(described.paths)) {
    const concrete = path.replace("{model}", "octet-tiny");
    const method = "get" in methods ? "GET" : "POST";
    const response =
      method === "GET" ? await cluster.get(concrete) : await cluster.post(concrete, {});
    expect([200, 400], path).toContain(response.status);
  }
  const page = await (await cluster.get("/docs")).text();
  expect(page).not.toMatch(/https?:/);
  for (const [, path] of page.matchAll(/(?:src|href)="([^"]+)"/g)) {
    const asset = await cluster.get(path!);
    expect(asset.status, path).toBe(200);
    expect((await asset.text()).length).toBeGreaterThan(50);
  }
});

test("health has three answers, and only named origins get a web page's access", async () => {
  for (const path of ["/livez", "/readyz", "/health", "/version"]) {
    expect((await cluster.get(path)).status, path).toBe(200);
  }
  const from = (origin: string) =>
    cluster.post(
      "/tokenize",
      { prompt: "a" },
      {
        headers: { "content-type": "application/json", origin },
      },
    );
  const allowed = (response: Response) => response.headers.get("access-control-allow-origin");
  expect(allowed(await from("https://chat.example.org"))).toBe("https://chat.example.org");
  expect(allowed(await from("https://elsewhere.example.org"))).toBeNull();
});

test("a client's x-request-id comes back if it is a plain word", async () => {
  const named = async (id: string) => {
    const headers = { "content-type": "application/json", "x-request-id": id };
    const response = await cluster.post("/tokenize", { prompt: "a" }, { headers });
    return response.headers.get("x-request-id");
  };
  expect(await named("turn-7")).toBe("turn-7");
  expect(await named("a b")).not.toBe("a b");
});

test("metrics are on the admin port alone, under our names and vLLM's", async () => {
  const { adminAddress } = cluster.gateway.lines.find(({ event }) => event === "listening")!.fields;
  const text = await (await fetch(`http://${adminAddress}/metrics`)).text();
  const numberOf = (series: string) => {
    const line = text.split("\n").find((each) => each.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.split(" ").at(-1));
  };
  const label = 'model_name="octet-tiny"';
  const tokens = numberOf(`octet_gateway_generation_tokens_total{${label}}`);
  expect(tokens).toBeGreaterThan(50);
  expect(numberOf(`vllm:generation_tokens_total{${label},engine="0"}`)).toBe(tokens);
  expect(numberOf("octet_gateway_answers_under_way")).toBe(0);
  expect(numberOf(`vllm:num_requests_waiting{${label},engine="0"}`)).toBe(0);
  expect(numberOf(`vllm:kv_cache_usage_perc{${label},engine="0"}`)).toBe(0);
  expect(numberOf("octet_gateway_ready")).toBe(1);
  expect(numberOf('octet_gateway_requests_rejected_total{reason="not_supported"}')).toBeGreaterThan(
    0,
  );
  const path = 'handler="/v1/completions",method="POST"';
  expect(numberOf(`http_requests_total{${path},status="2xx"}`)).toBeGreaterThan(0);
  expect(numberOf(`http_requests_total{${path},status="5xx"}`)).toBeUndefined();
  expect(numberOf(`octet_gateway_time_to_first_token_seconds_count{${label}}`)).toBeGreaterThan(0);
  expect((await cluster.get("/metrics")).status).toBe(404);
});

test("nothing that a client wrote is in the log", async () => {
  const logged = JSON.stringify(cluster.gateway.lines);
  expect(logged).not.toContain("How are you");
  expect(cluster.gateway.lines.filter((line) => line.level === "error")).toEqual([]);
});
