// What the clients of a load test ask: a catalogue of requests whose answers are known beforehand.
import { oneOf, wholeBetween } from "../faults/seeded-random.ts";

/** What is asked of an answer, besides a text. */
export const loadKinds = [
  "text",
  "chat",
  "schema",
  "regex",
  "tool",
  "several",
  "logprobs",
] as const;

/** One of {@link loadKinds}. */
export type LoadKind = (typeof loadKinds)[number];

/** One request of the catalogue. */
export interface LoadRequest {
  readonly kind: LoadKind;
  readonly path: "/v1/completions" | "/v1/chat/completions";
  /** Greedy or seeded, so that it has one right answer. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Taken in turns: half of all requests want nothing but a text or a reply. */
const turns: readonly LoadKind[] = [...loadKinds, "text", "chat", "text"];

/** A call, or a value of a schema, that is cut off says little. */
const minTokens: Readonly<Record<LoadKind, number>> = {
  ...{ text: 0, chat: 0, several: 0, logprobs: 0 },
  ...{ regex: 8, schema: 64, tool: 200 },
};

const words =
  "once upon a time there was little dog who lived in the park and had some cheese to eat";
const openings = [
  "Once upon a time",
  "Il était une fois",
  "Hello! How are you?",
  "What is 2 plus 3?",
];

/** Short and long prompts and answers, greedy and sampled; of all kinds, if there are ten or more. */
export function createCatalogue(random: () => number, count: number): LoadRequest[] {
  return Array.from({ length: count }, (_, index) => {
    const kind = turns[index % turns.length]!;
    const isChat = kind === "chat" || kind === "tool" || (kind !== "text" && random() < 0.5);
    const text = createPrompt(random);
    return {
      kind,
      path: isChat ? "/v1/chat/completions" : "/v1/completions",
      body: {
        ...(isChat ? { messages: [{ role: "user", content: text }] } : { prompt: text }),
        max_tokens: wholeBetween(random, 1, oneOf(random, [4, 16, 64, 160])) + minTokens[kind],
        ...(random() < 0.5 ? { temperature: 0 } : { temperature: 0.9, top_p: 0.95 }),
        seed: index, // calls' ids are made from it, even where the text is not
        ...whatElse(kind, random, isChat),
      },
    };
  });
}

function createPrompt(random: () => number): string {
  const rest = createWords(random, wholeBetween(random, 0, oneOf(random, [3, 30, 300])));
  return [oneOf(random, openings), ...rest].join(" ");
}

function createWords(random: () => number, count: number): string[] {
  const all = words.split(" ");
  return Array.from({ length: count }, () => oneOf(random, all));
}

/** What a kind asks for. No two schemas, expressions or tools are alike: each has to be compiled. */
function whatElse(kind: LoadKind, random: () => number, isChat: boolean): object {
  switch (kind) {
    case "text":
    case "chat":
      return { ignore_eos: random() < 0.3 };
    case "schema":
      return { response_format: { type: "json_schema", json_schema: { schema: aSchema(random) } } };
    case "regex":
      return {
        structured_outputs: { regex: `(${createWords(random, 6).join("|")}| ){1,40}[0-9]` },
      };
    case "tool": {
      const names = createWords(random, 3).map((word, index) => `${word}_${index}`);
      return {
        tools: names.map((name) => ({
          type: "function",
          function: { name, parameters: objectOf({ mood: aMood(random) }) },
        })),
        tool_choice: oneOf(random, [
          "auto",
          "required",
          "required",
          { type: "function", function: { name: names[0] } },
        ]),
        parallel_tool_calls: random() < 0.5,
      };
    }
    case "several":
      return { n: wholeBetween(random, 2, 8) };
    case "logprobs": {
      const top = wholeBetween(random, 0, 5);
      return isChat ? { logprobs: true, top_logprobs: top } : { logprobs: top };
    }
  }
}

function aSchema(random: () => number): object {
  return objectOf({
    mood: aMood(random),
    age: { type: "integer", minimum: 0, maximum: wholeBetween(random, 1, 500) },
    friends: {
      type: "array",
      items: { type: "string", maxLength: 12 },
      maxItems: wholeBetween(random, 1, 4),
    },
    home: { anyOf: [{ type: "null" }, { type: "string", pattern: "^[a-z]{2,9}$" }] },
  });
}

function aMood(random: () => number): object {
  return { enum: [...new Set(createWords(random, 5))] };
}

/** An object with all of `properties`, and no others. */
function objectOf(properties: Readonly<Record<string, object>>): object {
  const required = Object.keys(properties);
  return { type: "object", properties, required, additionalProperties: false };
}
