// Constraints and tools, by a real coordinator and workers with the bundled model.
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type ChatRequestSchema,
  type ConstraintSchema,
  FinishReason,
  type GenerateRequestSchema,
  InferenceService,
  type ToolCall,
  ToolChoiceMode,
} from "@octet/protocol";
import { createClient, fromServiceError, type GrpcClient } from "@octet/protocol/grpc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundledModelDir } from "./service-cluster.ts";
import { type SmallCluster, startSmallCluster } from "./small-cluster.ts";

let cluster: SmallCluster;
let client: GrpcClient<typeof InferenceService>;
const bounds = { deadlineMs: 60_000 };

beforeAll(async () => {
  cluster = await startSmallCluster({ sourceDir: bundledModelDir });
  client = createClient(InferenceService, cluster.address);
}, 120_000);

afterAll(async () => {
  client?.close();
  await cluster?.[Symbol.asyncDispose]();
});

type Constraint = MessageInitShape<typeof ConstraintSchema>;

interface Answer {
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  readonly reason: FinishReason | undefined;
}

async function generate(request: MessageInitShape<typeof GenerateRequestSchema>): Promise<Answer> {
  let text = "";
  let reason: FinishReason | undefined;
  for await (const { event } of client.generate(request, bounds)) {
    if (event.case === "delta") text += event.value.text;
    if (event.case === "finished") reason = event.value.reason;
  }
  return { text, reason, toolCalls: [] };
}

async function chat(request: MessageInitShape<typeof ChatRequestSchema>): Promise<Answer> {
  let text = "";
  let reason: FinishReason | undefined;
  const toolCalls: ToolCall[] = [];
  for await (const { event } of client.chat(request, bounds)) {
    if (event.case === "delta") {
      text += event.value.text;
      toolCalls.push(...event.value.toolCalls);
    }
    if (event.case === "finished") reason = event.value.reason;
  }
  return { text, reason, toolCalls };
}

async function failureOf(answer: Promise<Answer>) {
  try {
    await answer;
  } catch (error) {
    return fromServiceError(error);
  }
  return undefined;
}

const person = {
  type: "object",
  properties: {
    name: { type: "string", minLength: 1, maxLength: 12 },
    age: { type: "integer", minimum: 0, maximum: 130 },
    mood: { enum: ["glad", "sad"] },
  },
  required: ["name", "age", "mood"],
};
const jsonSchema = JSON.stringify(person);

test("answers under a JSON Schema are values of it, many at once", async () => {
  const answers = Array.from({ length: 8 }, (_, i) =>
    generate({
      input: { case: "text", value: "Once upon a time" },
      sampling: { seed: BigInt(i) },
      stop: { maxTokens: 120 },
      constraint: { kind: { case: "jsonSchema", value: jsonSchema } },
    }),
  );
  for (const { text, reason } of await Promise.all(answers)) {
    expect(reason).toBe(FinishReason.END_OF_SEQUENCE);
    const { name, age, mood, ...rest } = JSON.parse(text);
    expect([...name].length).toBeLessThanOrEqual(12);
    expect(Number.isInteger(age) && age >= 0 && age <= 130).toBe(true);
    expect(["glad", "sad"]).toContain(mood);
    expect(rest).toEqual({});
  }
});

test("the same request gives the same answer, and a free one beside it is as ever", async () => {
  const free = { input: { case: "text", value: "Once" }, stop: { maxTokens: 12 } } as const;
  const bound = {
    ...free,
    constraint: { kind: { case: "regex", value: "[a-z ]{5,30}[.]" } },
  } as const;
  const greedy = { sampling: { temperature: 0 } };
  const alone = await generate({ ...free, ...greedy });
  const [first, second, beside] = await Promise.all([
    generate({ ...bound, ...greedy, stop: { maxTokens: 60 } }),
    generate({ ...bound, ...greedy, stop: { maxTokens: 60 } }),
    generate({ ...free, ...greedy }),
  ]);
  expect(first.text).toMatch(/^[a-z ]{5,30}[.]$/);
  expect(second).toEqual(first);
  expect(beside).toEqual(alone);
});

test("every kind, in text and in chat", async () => {
  const kinds: [Constraint, RegExp][] = [
    [
      { kind: { case: "choice", value: { options: ["yes", "no", "perhaps"] } } },
      /^(yes|no|perhaps)$/,
    ],
    [{ kind: { case: "grammar", value: 'root ::= "<" [a-c]{2} ">"' } }, /^<[a-c]{2}>$/],
    [{ kind: { case: "regex", value: "\\d{3}-é" } }, /^\d{3}-é$/],
  ];
  for (const [constraint, expected] of kinds) {
    const messages = [{ role: "user", content: "Well?" }];
    const answers = await Promise.all([
      generate({ input: { case: "text", value: "Well?" }, constraint }),
      chat({ messages, constraint }),
      chat({
        messages: [...messages, { role: "assistant", content: "So", prefix: true }],
        constraint,
      }),
    ]);
    for (const { text } of answers) expect(text).toMatch(expected);
  }
  const constraint = { kind: { case: "jsonObject", value: true } } as const;
  const input = { case: "text", value: "Once" } as const;
  const { text, reason } = await generate({ input, constraint, stop: { maxTokens: 400 } });
  if (reason === FinishReason.END_OF_SEQUENCE) expect(JSON.parse(text)).toBeTypeOf("object");
  else expect(reason).toBe(FinishReason.LENGTH);
});

test("a bad constraint is refused with the reason, and the server goes on", async () => {
  const input = { case: "text", value: "Once" } as const;
  const bad: [Constraint, string][] = [
    [{ kind: { case: "jsonSchema", value: '{"not":{}}' } }, 'keyword "not" cannot be enforced'],
    [{ kind: { case: "jsonSchema", value: "{" } }, "expected a JSON Schema as JSON text"],
    [{ kind: { case: "grammar", value: "root ::= missing" } }, 'Rule "missing" is not defined'],
    [{ kind: { case: "regex", value: "(?=a)" } }, "a lookahead cannot be enforced"],
    [{ kind: { case: "choice", value: { options: [] } } }, "at least one choice"],
  ];
  for (const [constraint, reason] of bad) {
    const failure = await failureOf(generate({ input, constraint }));
    expect(failure).toMatchObject({ reason: "invalid_grammar" });
    expect(failure?.message).toContain(reason);
    expect(failure?.violations?.[0]?.field).toBe("constraint");
  }
  expect(await failureOf(generate({ input, constraint: {} }))).toMatchObject({
    reason: "invalid_parameter",
  });
  const choice: Constraint = { kind: { case: "choice", value: { options: ["on"] } } };
  const forever = { input, constraint: choice, stop: { ignoreEos: true } };
  expect(await failureOf(generate(forever))).toMatchObject({ reason: "invalid_parameter" });
  expect((await generate({ input, constraint: choice })).text).toBe("on");
});

const tools = [
  { name: "add_person", description: "Remembers a person.", parametersJsonSchema: jsonSchema },
  { name: "forget" },
];
const asked = { role: "user", content: "Remember Ada." };

test("a required call is made, answered, and the conversation goes on", async () => {
  const required = { kind: { case: "mode", value: ToolChoiceMode.REQUIRED } } as const;
  const request = { tools, toolChoice: required, parallelToolCalls: false };
  const sampling = { seed: 3n };
  const first = await chat({ messages: [asked], ...request, sampling, stop: { maxTokens: 300 } });
  const named = { kind: { case: "name", value: "add_person" } } as const;
  const again = await chat({ messages: [asked], tools, toolChoice: named, sampling });
  for (const call of again.toolCalls) {
    expect(call.name).toBe("add_person");
    expect(call.id).toMatch(/^[a-zA-Z0-9]{9}$/);
    expect(Object.keys(JSON.parse(call.argumentsJson))).toEqual(["name", "age", "mood"]);
  }
  expect(again.toolCalls.length).toBeGreaterThanOrEqual(1);
  expect([FinishReason.TOOL_CALLS, FinishReason.LENGTH]).toContain(first.reason);
  if (first.reason === FinishReason.TOOL_CALLS) expect(first.toolCalls).toHaveLength(1);
  expect(first.text + again.text).toBe("");
  const toolCalls = again.toolCalls.slice(0, 1);
  const result = { role: "tool", content: "done", toolCallId: toolCalls[0]!.id };
  const messages = [asked, { role: "assistant", content: "", toolCalls }, result];
  const next = await chat({
    messages,
    tools,
    stop: { maxTokens: 8 },
    sampling: { temperature: 0 },
  });
  expect(next.reason).not.toBeUndefined();
});

test("tools and histories that do not fit are refused by name", async () => {
  const bad: [MessageInitShape<typeof ChatRequestSchema>, string, string][] = [
    [{ messages: [asked], tools: [{ name: "a b" }] }, "invalid_grammar", "tools[0]"],
    [
      { messages: [asked], tools: [{ name: "a", parametersJsonSchema: '{"not":{}}' }] },
      "invalid_grammar",
      "tools[0] (a)",
    ],
    [
      { messages: [asked, { role: "tool", content: "x", toolCallId: "y" }] },
      "invalid_parameter",
      "message 1",
    ],
    [
      { messages: [asked], tools, constraint: { kind: { case: "regex", value: "a" } } },
      "invalid_parameter",
      "where tools may be called",
    ],
  ];
  for (const [request, reason, message] of bad) {
    const failure = await failureOf(chat(request));
    expect(failure).toMatchObject({ reason });
    expect(failure?.message).toContain(message);
  }
  const none = { kind: { case: "mode", value: ToolChoiceMode.NONE } } as const;
  const { toolCalls } = await chat({
    messages: [asked],
    tools,
    toolChoice: none,
    stop: { maxTokens: 8 },
  });
  expect(toolCalls).toEqual([]);
});
