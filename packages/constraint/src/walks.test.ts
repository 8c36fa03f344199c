// Whatever a model does within the masks, what comes out is what was asked for.
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { afterAll, expect, test, vi } from "vitest";
import type { ConstraintSpec } from "./constraint-spec.ts";
import { seededRandom, type Walk, walk } from "./testing/random-walk.ts";
import { openBundled, openMistral } from "./testing/vocabularies.ts";
import { walkedSchemas } from "./testing/walked-schemas.ts";

// Thousands of walks; minutes beside other suites.
vi.setConfig({ testTimeout: 600_000 });

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

for (const vocabulary of [await openBundled(), await openMistral()]) {
  const { name, tokenizer } = vocabulary;
  const constraints = vocabulary.createConstraints({ maskMs: 60_000, compileMs: 60_000 });
  afterAll(() => constraints.close());
  // The large vocabulary finds in fewer walks what it finds in many.
  const numWalks = name === "mistral" ? 6 : 40;

  async function* walks(
    spec: ConstraintSpec,
    seed: number,
    count = numWalks,
  ): AsyncGenerator<Walk> {
    const checked = await constraints.check(spec);
    const random = seededRandom(seed);
    for (let i = 0; i < count; i++) {
      const continuesText = i % 2 === 1;
      const walked = await walk(checked.open({ continuesText }), {
        ...vocabulary,
        random,
        continuesText,
      });
      expect(walked.hasEnded, `walk ${i} came to no end: ${walked.text}`).toBe(true);
      // Whole characters: the bytes are UTF-8, wherever tokens cut them.
      const bytes = walked.tokenIds.map((id) => tokenizer.tokenBytes(id)!.bytes);
      utf8.decode(Buffer.concat(bytes));
      yield walked;
    }
  }

  for (const [title, schema] of Object.entries(walkedSchemas)) {
    test(`${name}: every walk through ${title} is a value that ajv accepts`, async () => {
      const isSeven = JSON.stringify(schema).includes("draft-07");
      const ajv = isSeven ? new Ajv({ strict: false }) : new Ajv2020({ strict: false });
      addFormats.default(ajv);
      const validate = ajv.compile(schema);
      const spec = { kind: "json-schema", schema: JSON.stringify(schema) } as const;
      for await (const { text } of walks(spec, 11)) {
        const isValid = validate(JSON.parse(text));
        expect(isValid, `${text}: ${ajv.errorsText(validate.errors)}`).toBe(true);
        // Bounded white space: never two line feeds, never more than an indent of 32.
        expect(text).not.toMatch(/^\s|\n\s*\n|[ \t]{33}|\s$/);
      }
    });
  }

  test(`${name}: every walk in JSON mode is an object`, async () => {
    for await (const { text } of walks({ kind: "json-object" }, 12, numWalks * 3)) {
      const value = JSON.parse(text);
      expect(typeof value === "object" && value !== null && !Array.isArray(value)).toBe(true);
    }
  });

  const patterns = [
    "yes|no| perhaps",
    "[a-z]{3,8}( [a-z]{1,4})*",
    "^\\d{4}-\\d{2}-\\d{2}$",
    "(é|ü|€|😀|日本)+x?",
    "[^\\x00-\\x7f]{1,4}",
    "\\p{Lu}\\p{Ll}*(?: \\p{Lu}\\p{Ll}*){0,2}",
    "(a*)*b",
    "(?:ab?){2,}(?<name>c|)",
    "\\S{1,9}@\\w{2,5}\\.(com|org)",
    "  two spaces first",
    '"[^"\\\\]*"',
    ".{0,12}",
    "^one|two$",
  ];
  for (const pattern of patterns) {
    test(`${name}: every walk through /${pattern}/ matches it`, async () => {
      const expression = new RegExp(`^(?:${pattern})$`, "u");
      for await (const { text } of walks({ kind: "regex", pattern }, 13)) {
        expect(text).toMatch(expression);
      }
    });
  }

  test(`${name}: every walk through a choice is one of them, and each is found`, async () => {
    const options = ["red", "red wine", " blue", "😀", "née", "日本語", '"quoted"\\', "a\nb"];
    const found = new Set<string>();
    for await (const { text } of walks({ kind: "choice", options }, 14, 160)) found.add(text);
    expect([...found].toSorted()).toEqual(options.toSorted());
  });

  test(`${name}: every walk through a grammar is in its language`, async () => {
    const grammar = 'root ::= "(" (root | item)* ")" # nested\nitem ::= [a-cé] | "—"\n';
    for await (const { text } of walks({ kind: "grammar", grammar }, 15)) {
      let rest = text;
      for (let before = ""; before !== rest; ) {
        before = rest;
        rest = rest.replaceAll(/\([a-cé—]*\)/gu, "");
      }
      expect(rest, text).toBe("");
    }
  });
}
