// Which keywords of JSON Schema are kept, and which are refused rather than ignored.
import { GrammarProblem } from "./grammar-problem.ts";

/** A schema that is an object. */
export type Schema = Readonly<Record<string, unknown>>;

/** The types of JSON Schema. */
export type SchemaType = keyof typeof keywordsOf;

/** Say something to a reader and nothing about the value. */
const annotations = new Set([
  ...["title", "description", "default", "example", "examples", "deprecated", "readOnly"],
  ...["writeOnly", "$comment", "$schema", "$id", "$defs", "definitions"],
]);

const range = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] as const;
const keywordsOf = {
  object: ["properties", "required", "additionalProperties"],
  array: ["items", "prefixItems", "minItems", "maxItems"],
  string: ["minLength", "maxLength", "pattern", "format"],
  number: range,
  integer: range,
  boolean: [],
  null: [],
} as const;

/** Keywords that say nothing when they have this value. */
const harmless: Readonly<Record<string, unknown>> = {
  uniqueItems: false,
  minProperties: 0,
  unevaluatedProperties: false,
  unevaluatedItems: false,
  nullable: false,
};

/** @throws {GrammarProblem} for a keyword beside those, which would be ignored */
export function requireOnly(schema: Schema, kept: readonly string[], path: string): void {
  for (const [keyword, value] of Object.entries(schema)) {
    if (annotations.has(keyword) || keyword.startsWith("x-") || kept.includes(keyword)) continue;
    if (keyword in harmless && harmless[keyword] === value) continue;
    const beside = kept.filter((k) => k in schema).map((k) => `"${k}"`);
    const where = beside.length === 0 ? "" : ` beside ${beside.join(" and ")}`;
    throw new GrammarProblem(`${path}: keyword "${keyword}"${where} cannot be enforced`);
  }
}

/** The types that a schema allows: those it names, or the one its keywords are about. */
export function typesOf(schema: Schema, path: string): readonly SchemaType[] {
  const { type } = schema;
  if (type !== undefined) {
    const types = (Array.isArray(type) ? type : [type]) as SchemaType[];
    requireOnly(schema, ["type", ...types.flatMap((name) => keywordsOf[name])], path);
    return types.filter((name) => name !== "integer" || !types.includes("number"));
  }
  const spoken = (["object", "array", "string", "number"] as const).filter((name) =>
    keywordsOf[name].some((keyword) => keyword in schema),
  );
  requireOnly(
    schema,
    spoken.flatMap((name) => [...keywordsOf[name]]),
    path,
  );
  if (spoken.length > 1) {
    throw new GrammarProblem(`${path}: expected a "type", found keywords of ${spoken.join(", ")}`);
  }
  return spoken;
}
