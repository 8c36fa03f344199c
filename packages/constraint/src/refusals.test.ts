// What is refused: by name, before any answer depends on it.
import { afterAll, expect, test, vi } from "vitest";
import { defaultConstraintLimits } from "./constraint-limits.ts";
import type { ConstraintSpec } from "./constraint-spec.ts";
import { openBundled } from "./testing/vocabularies.ts";

vi.setConfig({ testTimeout: 120_000 });

const vocabulary = await openBundled();
const constraints = vocabulary.createConstraints();
afterAll(() => constraints.close());

async function reasonOf(spec: ConstraintSpec): Promise<string> {
  try {
    await constraints.check(spec);
  } catch (error) {
    expect(error).toMatchObject({ name: "ConstraintError", code: "invalid-grammar" });
    return (error as Error).message;
  }
  return "accepted";
}

const schemas: [object | boolean | string, string][] = [
  ["{", "expected a JSON Schema as JSON text"],
  ["[]", "expected a JSON Schema, which is an object or true"],
  [false, "found false"],
  [{ type: "strnig" }, "not a JSON Schema: #/type must be equal to one of the allowed values"],
  [{ type: "string", minLength: -1 }, "#/minLength must be >= 0"],
  [{ type: "object", patternProperties: {} }, 'keyword "patternProperties" beside "type"'],
  [{ type: "object", minProperties: 1 }, 'keyword "minProperties"'],
  [{ type: "object", propertyNames: {} }, 'keyword "propertyNames"'],
  [{ type: "object", dependentRequired: {} }, 'keyword "dependentRequired"'],
  [{ type: "array", uniqueItems: true }, 'keyword "uniqueItems"'],
  [{ type: "array", contains: {} }, 'keyword "contains"'],
  [{ type: "integer", multipleOf: 2 }, 'keyword "multipleOf"'],
  [{ not: { type: "string" } }, 'keyword "not"'],
  [{ if: {}, else: {} }, 'keyword "if"'],
  [{ type: "string", minimum: 3 }, '#: keyword "minimum" beside "type"'],
  [{ type: "string", foo: 1 }, 'keyword "foo"'],
  [{ anyOf: [{}], type: "string" }, 'keyword "type" beside "anyOf" cannot'],
  [{ properties: { a: { $ref: "#/$defs/no" } } }, '"$ref" "#/$defs/no" leads nowhere'],
  [{ $ref: "https://example.com/a.json" }, 'expected a "$ref" within the schema'],
  [{ $ref: "#" }, "found none that ends"],
  [{ anyOf: [{ $ref: "#" }, { type: "null" }] }, "leads back to itself"],
  [{ type: "object", properties: { a: { $ref: "#" } }, required: ["a"] }, "found none that ends"],
  [{ allOf: [{ type: "string" }, { maxLength: 3 }] }, 'keyword "allOf" with more than one'],
  [{ oneOf: [{ type: "integer" }, { type: "number" }] }, "may fit its options 0 and 1"],
  [{ type: "string", pattern: "a", maxLength: 2 }, "one at a time"],
  [{ type: "string", format: "iban" }, 'found "iban"'],
  [{ type: "string", pattern: "(?=a)" }, "a lookahead cannot be enforced"],
  [{ type: "string", minLength: 3, maxLength: 2 }, "found 3 > 2"],
  [{ type: "string", maxLength: 100_000 }, "expected at most 4096, found 100000"],
  [{ type: "integer", minimum: 2, maximum: 1 }, "between which there is a number"],
  [{ type: "number", minimum: 0.12345678 }, "at most 6 decimals"],
  [{ required: ["a"], additionalProperties: false }, 'property "a" is allowed nowhere'],
  [{ minLength: 1, minItems: 1 }, 'expected a "type", found keywords of array, string'],
  [{ const: 1, type: "string" }, 'no value of "const" fits "type"'],
];

test("a schema that cannot be enforced is refused by the name of what stands in the way", async () => {
  for (const [schema, reason] of schemas) {
    const text = typeof schema === "string" ? schema : JSON.stringify(schema);
    expect(await reasonOf({ kind: "json-schema", schema: text }), text).toContain(reason);
  }
});

test("the place of what is wrong is named", async () => {
  const schema = JSON.stringify({ properties: { a: { items: { not: {} } } } });
  expect(await reasonOf({ kind: "json-schema", schema })).toMatch(/^#\/properties\/a\/items: /);
});

test("expressions that no grammar can express are refused by name", async () => {
  const patterns: [string, string][] = [
    ["(", "Unterminated group"],
    ["[b-a]", "Range out of order"],
    ["a{2,1}", "numbers out of order"],
    ["(?<=a)b", "a lookbehind cannot be enforced"],
    ["a\\b", "a word boundary cannot be enforced"],
    ["(a)\\1", "a back reference cannot be enforced"],
    ["a(^b)", "an anchor that is not at the end"],
    ["[^\\s\\S]", "a character class that some character fits"],
    ["a{5000}", "expected at most 4096 repetitions"],
  ];
  for (const [pattern, reason] of patterns) {
    expect(await reasonOf({ kind: "regex", pattern }), pattern).toContain(reason);
  }
});

test("grammars and choices that are none are refused with the compiler's reason", async () => {
  const grammars: [string, string][] = [
    ["", 'Rule "root" is not defined'],
    ['start ::= "a"', 'Rule "root" is not defined'],
    ['root ::= "a" (', "Expect element"],
    ["root ::= nowhere", 'Rule "nowhere" is not defined'],
    ["root ::= [z-a]", "a range from low to high"],
    ["root ::= root", "no token may follow"],
  ];
  for (const [grammar, reason] of grammars) {
    expect(await reasonOf({ kind: "grammar", grammar }), grammar).toContain(reason);
  }
  expect(await reasonOf({ kind: "choice", options: [] })).toContain("at least one choice");
  expect(await reasonOf({ kind: "choice", options: ["a", ""] })).toContain(
    "at least one character",
  );
});

test("what is too large is refused with the limit that it exceeds", async () => {
  const { specBytesMax } = defaultConstraintLimits;
  const options = ["x".repeat(specBytesMax)];
  expect(await reasonOf({ kind: "choice", options })).toContain(`specBytesMax is ${specBytesMax}`);
  const wide = "\\p{L}".repeat(400);
  expect(await reasonOf({ kind: "regex", pattern: wide })).toContain("grammarBytesMax is");
  let deep: object = {};
  for (let i = 0; i < 70; i++) deep = { items: deep };
  const schema = JSON.stringify(deep);
  expect(await reasonOf({ kind: "json-schema", schema })).toContain("at most 64 levels deep");
});
