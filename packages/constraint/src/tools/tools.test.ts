// Tool calls: what the grammar lets through, the parser reads, and the prompt shows again.
import {
  renderToolCalls,
  renderTools,
  type ToolDefinition,
  toolCallsMarker,
} from "@octet/tokenizer";
import { Ajv } from "ajv";
import fc from "fast-check";
import { afterAll, expect, test, vi } from "vitest";
import { seededRandom, walk } from "../testing/random-walk.ts";
import { openBundled, openMistral } from "../testing/vocabularies.ts";
import { toolCallId } from "./tool-call-id.ts";
import { ToolCallParser } from "./tool-call-parser.ts";
import { toolGrammar } from "./tool-grammar.ts";

vi.setConfig({ testTimeout: 600_000 });

const tools: ToolDefinition[] = [
  {
    name: "get_weather",
    description: "The weather of a town.",
    parametersJsonSchema: JSON.stringify({
      type: "object",
      properties: {
        town: { type: "string", maxLength: 12 },
        days: { type: "integer", minimum: 1, maximum: 9 },
      },
      required: ["town"],
    }),
  },
  { name: "no.arguments", parametersJsonSchema: '{"type":"object","additionalProperties":false}' },
  { name: "anything" },
];
const ajv = new Ajv({ strict: false });
const validators = new Map(
  tools.map((tool) => [tool.name, ajv.compile(JSON.parse(tool.parametersJsonSchema ?? "{}"))]),
);

const jsonObject = fc.dictionary(fc.string(), fc.jsonValue());
const call = fc.record({ name: fc.string({ minLength: 1 }), given: jsonObject });

test("a list of calls, rendered and read in pieces of any size, is the same list", () => {
  fc.assert(
    fc.property(
      fc.string().filter((text) => !text.includes("[")),
      fc.array(call, { minLength: 1, maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      (text, calls, sizes) => {
        const wanted = calls.map(({ name, given }, i) => ({
          id: toolCallId("seed", i),
          name,
          argumentsJson: JSON.stringify(given),
        }));
        const parser = new ToolCallParser("seed");
        const found = readInPieces(parser, renderToolCalls(text, wanted), sizes);
        expect(found).toEqual({ text, toolCalls: wanted });
        expect(parser.hasCalls).toBe(true);
      },
    ),
  );
});

test("text without a list comes through whole, whatever it holds of the marker", () => {
  const part = fc.oneof(
    fc.string(),
    fc.nat({ max: 11 }).map((n) => toolCallsMarker.slice(0, n)),
  );
  fc.assert(
    fc.property(fc.array(part), fc.array(fc.nat({ max: 5 }), { minLength: 1 }), (parts, sizes) => {
      const text = parts.join("");
      fc.pre(!text.includes(toolCallsMarker));
      const parser = new ToolCallParser("seed");
      expect(
        readInPieces(
          parser,
          text,
          sizes.map((n) => n + 1),
        ),
      ).toEqual({ text, toolCalls: [] });
      expect(parser.hasCalls).toBe(false);
    }),
  );
});

test("a call that is cut off is left out, those before it are not", () => {
  const calls = [1, 2].map((n) => ({ id: "", name: "f", argumentsJson: `{"n":${n}}` }));
  const text = renderToolCalls("", calls);
  const parser = new ToolCallParser("seed");
  expect(parser.push(text.slice(0, -4)).toolCalls.map((c) => c.argumentsJson)).toEqual(['{"n":1}']);
  expect(parser.end()).toEqual({ text: "", toolCalls: [] });
});

test("ids are nine letters and digits, the same for the same place, and differ between places", () => {
  const ids = Array.from({ length: 2_000 }, (_, i) =>
    toolCallId(`scope ${i % 7}`, Math.floor(i / 7)),
  );
  for (const id of ids) expect(id).toMatch(/^[a-zA-Z0-9]{9}$/);
  expect(new Set(ids).size).toBe(ids.length);
  expect(toolCallId("scope 0", 0)).toBe(ids[0]);
});

for (const vocabulary of [await openBundled(), await openMistral()]) {
  const constraints = vocabulary.createConstraints({ maskMs: 60_000, compileMs: 60_000 });
  afterAll(() => constraints.close());

  // Nearly all the time goes into masks inside strings of any length: of 32,000 pieces each takes ten
  // times what it takes of 4,096, and shows nothing that those do not. Fewer of them, then, but as
  // many ways to begin, end and follow a call.
  const isLarge = vocabulary.name === "mistral";
  const numWalks = isLarge ? 8 : 25;

  async function* answers(choice: Parameters<typeof toolGrammar>[1], isParallel: boolean) {
    const hurryAfter = choice.kind !== "required" ? 20 : isLarge ? 30 : 120;
    const checked = await constraints.check(toolGrammar(tools, choice, isParallel)!);
    const random = seededRandom(21);
    for (let i = 0; i < numWalks; i++) {
      const options = { ...vocabulary, random, continuesText: false, hurryAfter };
      const walked = await walk(checked.open({ continuesText: false }), options);
      expect(walked.hasEnded, walked.text).toBe(true);
      const parsed = readInPieces(new ToolCallParser("s"), walked.text, [
        1 + Math.floor(random() * 9),
      ]);
      for (const { name, argumentsJson } of parsed.toolCalls) {
        const validate = validators.get(name)!;
        expect(validate(JSON.parse(argumentsJson)), walked.text).toBe(true);
      }
      yield { ...parsed, raw: walked.text };
    }
  }

  test(`${vocabulary.name}: where calls are required, every walk is calls that fit`, async () => {
    const lengths = new Set<number>();
    for await (const { text, toolCalls, raw } of answers({ kind: "required" }, true)) {
      expect(text).toBe("");
      expect(toolCalls.length, raw).toBeGreaterThanOrEqual(1);
      lengths.add(toolCalls.length);
    }
    expect(lengths.size).toBeGreaterThan(1);
  });

  test(`${vocabulary.name}: not in parallel is one call, of the tool that was named`, async () => {
    const choice = { kind: "named", name: "get_weather" } as const;
    for await (const { toolCalls } of answers(choice, false)) {
      expect(toolCalls.map((c) => c.name)).toEqual(["get_weather"]);
    }
  });

  test(`${vocabulary.name}: left to the model, an answer is text, and calls after the marker`, async () => {
    for await (const { text, raw } of answers({ kind: "auto" }, true)) {
      if (!raw.includes(toolCallsMarker)) expect(text).toBe(raw);
    }
    // A random walk hardly ever spells the marker: this one begins with it.
    const checked = await constraints.check(toolGrammar(tools, { kind: "auto" }, true)!);
    for (let i = 0; i < (isLarge ? 4 : 10); i++) {
      const opening = vocabulary.tokenizer.encode(`So: ${toolCallsMarker}`);
      const random = seededRandom(i);
      const options = { ...vocabulary, random, continuesText: false, opening, hurryAfter: 20 };
      const walked = await walk(checked.open({ continuesText: false }), options);
      expect(walked.hasEnded, walked.text).toBe(true);
      const { text, toolCalls } = readInPieces(new ToolCallParser("s"), walked.text, [3]);
      expect(text).toBe("So: ");
      expect(toolCalls.length, walked.text).toBeGreaterThanOrEqual(1);
      for (const { name, argumentsJson } of toolCalls) {
        expect(validators.get(name)!(JSON.parse(argumentsJson)), walked.text).toBe(true);
      }
      // And back: the next prompt shows the calls as they were made.
      const asked = { role: "user", content: "?" } as const;
      const replied = { role: "assistant", content: text, toolCalls } as const;
      const result = { role: "tool", content: "ok", toolCallId: toolCalls.at(-1)!.id } as const;
      const [, , again, results] = renderTools([asked, replied, result], tools, { kind: "auto" });
      const second = readInPieces(new ToolCallParser("s"), again!.content, [2]);
      expect(second).toEqual({ text, toolCalls });
      expect(results!.content).toContain(`"call":${toolCalls.length}`);
    }
  });
}

test("a choice that means nothing is refused", () => {
  const two = [{ name: "a" }, { name: "a" }];
  expect(() => toolGrammar(two, { kind: "auto" }, true)).toThrow("found one twice");
  expect(() => toolGrammar([{ name: 'a"' }], { kind: "auto" }, true)).toThrow("tools[0]");
  expect(() => toolGrammar(tools, { kind: "named", name: "b" }, true)).toThrow('found "b"');
  expect(() => toolGrammar([], { kind: "required" }, true)).toThrow("at least one tool");
  const many = Array.from({ length: 129 }, (_, i) => ({ name: `t${i}` }));
  expect(() => toolGrammar(many, { kind: "auto" }, true)).toThrow("at most 128 tools");
  expect(toolGrammar(tools, { kind: "none" }, true)).toBeUndefined();
  expect(toolGrammar([], { kind: "auto" }, true)).toBeUndefined();
});

function readInPieces(parser: ToolCallParser, text: string, sizes: readonly number[]) {
  let said = "";
  const toolCalls = [];
  let at = 0;
  for (let i = 0; at < text.length; i++) {
    const size = sizes[i % sizes.length]!;
    const parsed = parser.push(text.slice(at, at + size));
    said += parsed.text;
    toolCalls.push(...parsed.toolCalls);
    at += size;
  }
  return { text: said + parser.end().text, toolCalls };
}
