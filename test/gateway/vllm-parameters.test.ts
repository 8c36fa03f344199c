// Parameters that vLLM's clients know, and what is refused by name, from real processes.
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventsOf, GatewayCluster } from "./gateway-cluster.ts";
import { answerOf, type Json, refusalOf } from "./read-answers.ts";

let cluster: GatewayCluster;

beforeAll(async () => {
  cluster = await GatewayCluster.start();
}, 120_000);
afterAll(() => cluster?.[Symbol.asyncDispose]());

const chat = "/v1/chat/completions";
const completion = "/v1/completions";
const hello = [{ role: "user", content: "Hello! How are you?" }];
const greedy = { temperature: 0, max_tokens: 24 };
const reply = "I am very well, thank you. And you?";
const answer = (path: string, body: object) => answerOf(cluster, path, body);

test("a chat's prompt_logprobs are of all that the template made, beside the choices", async () => {
  const body = { messages: hello, ...greedy, n: 2, prompt_logprobs: 2, return_token_ids: true };
  const json = await answer(chat, body);
  const ids: number[] = json.choices[0].prompt_token_ids;
  expect(json.prompt_logprobs).toHaveLength(ids.length);
  expect(json.prompt_logprobs[0]).toBeNull();
  for (const [i, known] of json.prompt_logprobs.slice(1).entries()) {
    const { logprob, rank, decoded_token } = known[ids[i + 1]!];
    expect(logprob).toBeLessThanOrEqual(0);
    expect(rank).toBeGreaterThanOrEqual(1);
    expect(decoded_token).toEqual(expect.any(String));
    expect([2, 3]).toContain(Object.keys(known).length);
  }
  // As the same tokens have them that come as they are.
  const { tokens } = await answer("/tokenize", { messages: hello });
  const asIds = { prompt: tokens, ...greedy, max_tokens: 1, prompt_logprobs: 2 };
  const { prompt_logprobs } = (await answer(completion, asIds)).choices[0];
  expect(json.prompt_logprobs).toEqual(prompt_logprobs);
  const streamed = await cluster.post(chat, { ...body, stream: true });
  const events: Json[] = eventsOf(await streamed.text());
  expect(events.flatMap((event) => event.prompt_logprobs ?? [])).toEqual(json.prompt_logprobs);
});

test("bad words are not said, wherever they would stand", async () => {
  const body = { messages: hello, ...greedy };
  expect((await answer(chat, body)).choices[0].message.content).toBe(reply);
  for (const word of ["very", "And", "am very well"]) {
    const { choices } = await answer(chat, { ...body, bad_words: [word] });
    const said: string = choices[0].message.content;
    expect(said).not.toContain(word);
    // The same until the word would have been whole.
    const lastWord = word.split(" ").at(-1)!;
    expect(said.startsWith(reply.slice(0, reply.indexOf(lastWord)))).toBe(true);
  }
  const sampled = { ...body, temperature: 1, seed: 5, bad_words: ["very", "well", "thank"] };
  const once = await answer(chat, sampled);
  expect((await answer(chat, sampled)).choices).toEqual(once.choices);
});

test("a constraint has the last word over bad words", async () => {
  const body = { messages: hello, ...greedy, guided_choice: ["red"], bad_words: ["red"] };
  expect((await answer(chat, body)).choices[0].message.content).toBe("red");
});

test("tokens that are named have their log-probabilities, in their order", async () => {
  const { tokens } = await answer("/tokenize", { prompt: "am is", add_special_tokens: false });
  const named = { logprob_token_ids: tokens };
  const body = { messages: hello, ...greedy, logprobs: true };
  const { content } = (await answer(chat, { ...body, ...named })).choices[0].logprobs;
  const plain = (await answer(chat, body)).choices[0].logprobs.content;
  expect(content.map(({ logprob }: Json) => logprob)).toEqual(
    plain.map(({ logprob }: Json) => logprob),
  );
  for (const { top_logprobs } of content) expect(top_logprobs).toHaveLength(tokens.length);
  const am = content[1];
  expect(am.top_logprobs[0]).toMatchObject({ token: am.token, logprob: am.logprob });
  const alone = refusalOf(cluster, chat, { messages: hello, ...named });
  expect(await alone).toMatchObject({ status: 400, param: "logprob_token_ids" });
});

test("a prompt is cut where its client asks for that, is told so, and keeps its first token", async () => {
  const prompt = "One day, a little dog went to the park. Once upon a time";
  const { tokens } = await answer("/tokenize", { prompt });
  const kept = 8;
  const options = { ...greedy, max_tokens: 12, return_token_ids: true };
  const json = await answer(completion, { prompt, ...options, truncate_prompt_tokens: kept });
  const left = [tokens[0], ...tokens.slice(1 - kept)];
  expect(json.choices[0].prompt_token_ids).toEqual(left);
  expect(json.usage).toMatchObject({
    prompt_tokens: kept,
    prompt_tokens_details: { truncated_tokens: tokens.length - kept },
  });
  const same = await answer(completion, { prompt: left, ...options });
  expect(same.choices[0].text).toBe(json.choices[0].text);
  expect(same.usage.prompt_tokens_details.truncated_tokens).toBeUndefined();
  const short = await answer(completion, { prompt, ...options, truncate_prompt_tokens: 999 });
  expect(short.usage.prompt_tokens).toBe(tokens.length);
});

test("at -1 a prompt is as long as fits beside max_tokens, a conversation too", async () => {
  const long = "hello there ".repeat(3000);
  const cut = { truncate_prompt_tokens: -1, max_tokens: 48, temperature: 0 };
  const asked = { messages: [{ role: "user", content: long }], ...cut };
  for (const json of [
    await answer(completion, { prompt: long, ...cut }),
    await answer(chat, asked),
  ]) {
    expect(json.usage.prompt_tokens).toBe(2048 - 48);
    expect(json.usage.prompt_tokens_details.truncated_tokens).toBeGreaterThan(100);
  }
  const streamed = await cluster.post(chat, { ...asked, stream: true });
  const events: Json[] = eventsOf(await streamed.text());
  const { usage } = events.findLast((event) => event.usage !== undefined)!;
  expect(usage.prompt_tokens_details.truncated_tokens).toBeGreaterThan(100);
});

test.each<[name: string, path: string, asked: object, code: string, param: string]>([
  ["a cut to nothing", completion, { truncate_prompt_tokens: 0 }, "invalid_parameter", ""],
  ["an echo of it", completion, { truncate_prompt_tokens: 5, echo: true }, "invalid_parameter", ""],
  ["a cut for any", chat, { truncate_prompt_tokens: -1 }, "invalid_parameter", ""],
  ["another side", chat, { truncation_side: "right" }, "not_supported", "truncation_side"],
  [
    "a token that there is not",
    chat,
    { logprobs: true, logprob_token_ids: [4096] },
    "invalid_parameter",
    "logprob_token_ids",
  ],
  ["a word of spaces", chat, { bad_words: [" "] }, "invalid_parameter", "bad_words"],
  ["the best of more", completion, { best_of: 3, n: 2 }, "not_supported", "best_of"],
  ["a suffix", completion, { suffix: "x" }, "not_supported", "suffix"],
  ["typical_p", chat, { typical_p: 0.5 }, "not_supported", "typical_p"],
  ["beams", completion, { use_beam_search: true }, "not_supported", "use_beam_search"],
  ["old functions", chat, { functions: [{ name: "f" }] }, "not_supported", "functions"],
  ["a template", chat, { chat_template: "{{ x }}" }, "not_supported", "chat_template"],
])("%s is refused", async (_name, path, asked, code, param) => {
  const given = path === chat ? { messages: hello } : { prompt: "Once" };
  const found = await refusalOf(cluster, path, { ...given, ...asked });
  expect(found).toMatchObject({ status: 400, code });
  expect(found.param).toBe(param || "truncate_prompt_tokens");
});

test("a prompt that is too long is too long by the name it came by", async () => {
  const content = "hello ".repeat(3000);
  const long = await refusalOf(cluster, completion, { prompt: content });
  expect(long).toMatchObject({ code: "context_length_exceeded", param: "prompt" });
  const talk = await refusalOf(cluster, chat, { messages: [{ role: "user", content }] });
  expect(talk).toMatchObject({ code: "context_length_exceeded", param: "messages" });
});

test("what asks for nothing is taken", async () => {
  const nothing = { best_of: 2, n: 2, suffix: "", typical_p: 1, use_beam_search: false };
  const more = { bad_words: [], logprob_token_ids: [], truncation_side: "left" };
  const json = await answer(completion, { prompt: "Once", max_tokens: 2, ...nothing, ...more });
  expect(json.choices).toHaveLength(2);
  expect(json.warnings).toBeUndefined();
});
