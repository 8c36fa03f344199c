// Chat, by a real coordinator and workers: the same words as Generate, and prefixes that go on.
import { type ChatResponse, InferenceService } from "@octet/protocol";
import { createClient, fromServiceError, type GrpcClient } from "@octet/protocol/grpc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type SmallCluster, startSmallCluster } from "./small-cluster.ts";

let cluster: SmallCluster;
let client: GrpcClient<typeof InferenceService>;

const bounds = { deadlineMs: 60_000 };
const greedy = { sampling: { temperature: 0 }, stop: { maxTokens: 12 }, details: true };
const question = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "Who was there once?" },
];

beforeAll(async () => {
  cluster = await startSmallCluster();
  client = createClient(InferenceService, cluster.address);
});

afterAll(async () => {
  client?.close();
  await cluster?.[Symbol.asyncDispose]();
});

interface Reply {
  readonly cases: readonly (string | undefined)[];
  readonly promptTokenIds: readonly number[];
  readonly tokenIds: readonly number[];
  readonly text: string;
}

async function read(
  call: AsyncIterable<Pick<ChatResponse, "event"> | { event: { case?: string; value?: unknown } }>,
): Promise<Reply> {
  const events: ChatResponse["event"][] = [];
  // Both methods' events have the same fields here.
  for await (const { event } of call) events.push(event as ChatResponse["event"]);
  const deltas = events.flatMap((event) => (event.case === "delta" ? [event.value] : []));
  const started = events.find((event) => event.case === "started")?.value;
  return {
    cases: [events[0]?.case, events.at(-1)?.case],
    promptTokenIds: started?.promptTokenIds ?? [],
    tokenIds: deltas.flatMap((delta) => delta.tokenIds),
    text: deltas.map((delta) => delta.text).join(""),
  };
}

const chat = (messages: { role: string; content: string; prefix?: boolean }[], rest = greedy) =>
  read(client.chat({ messages, ...rest }, bounds));

test("Chat says what Generate says to the same conversation", async () => {
  const found = await chat(question);
  expect(found.cases).toEqual(["started", "finished"]);
  expect(found.tokenIds).toHaveLength(12);
  const input = { case: "chat", value: { messages: question } } as const;
  expect(await read(client.generate({ input, ...greedy }, bounds))).toEqual(found);
});

test("a prefix is part of the prompt, and the reply goes on from it without repeating it", async () => {
  const begun = { role: "assistant", content: "There was", prefix: true };
  const found = await chat([...question, begun]);
  const { tokenIds: prompt } = await client.tokenize(
    { input: { case: "chat", value: { messages: [...question, begun] } } },
    bounds,
  );
  expect(found.promptTokenIds).toEqual(prompt);
  // The same tokens, given as tokens, are a text to go on from.
  const input = { case: "tokens", value: { ids: prompt } } as const;
  const same = await read(client.generate({ input, ...greedy }, bounds));
  expect(found).toEqual(same);
  const { text } = await client.detokenize({ tokenIds: [...prompt] }, bounds);
  expect(text.endsWith("There was")).toBe(true);
  // What the reply is together with its beginning, the decoder says too.
  const whole = await client.detokenize({ tokenIds: [...prompt, ...found.tokenIds] }, bounds);
  expect(whole.text).toBe(text + found.text);
});

test("a prompt can be shown, with the prefix it ends with", async () => {
  const messages = [...question, { role: "assistant", content: "There", prefix: true }];
  const input = { case: "chat", value: { messages } } as const;
  const { tokenIds, pieces } = await client.tokenize({ input, withPieces: true }, bounds);
  expect(pieces).toHaveLength(tokenIds.length);
  expect(Buffer.concat(pieces).toString()).toMatch(
    /^<s> ?\[INST\] ?Be brief\.\n\nWho was there once\? ?\[\/INST\] ?There$/,
  );
  expect((await client.tokenize({ input }, bounds)).pieces).toEqual([]);
});

test("neighbours of one role are one message to a template that wants them to alternate", async () => {
  const apart = [
    { role: "user", content: "one" },
    { role: "user", content: "two" },
  ];
  const together = [{ role: "user", content: "one\n\ntwo" }];
  expect(await chat(apart)).toEqual(await chat(together));
});

test.each([
  ["messages", []],
  ["messages[1].role", [question[1]!, { role: "function", content: "" }]],
  ["messages[0]", [{ role: "assistant", content: "x" }]],
  ["messages[0].prefix", [{ role: "user", content: "x", prefix: true }]],
  ["messages[1].prefix", [...question, question[1]!].map((m, i) => ({ ...m, prefix: i === 1 }))],
])("what is wrong with %s is said of it", async (field, messages) => {
  const failure = await chat(messages).catch(fromServiceError);
  expect(failure).toMatchObject({ reason: "invalid_parameter", violations: [{ field }] });
});
