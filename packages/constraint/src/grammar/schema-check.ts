// Whether a text is a JSON Schema at all, as ajv reads the standard.
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import { GrammarProblem } from "./grammar-problem.ts";

/** How deep a schema may nest. */
const depthMax = 64;

let drafts: { readonly latest: Ajv2020; readonly seven: Ajv } | undefined;

/** @throws {GrammarProblem} with the place and the reason */
export function parseSchema(text: string): unknown {
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new GrammarProblem(`expected a JSON Schema as JSON text: ${reason}`);
  }
  if (typeof schema === "boolean") return schema;
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
    throw new GrammarProblem("expected a JSON Schema, which is an object or true");
  }
  requireDepth(schema, depthMax);
  const options = { strict: false, validateFormats: false, allErrors: false } as const;
  drafts ??= { latest: new Ajv2020(options), seven: new Ajv(options) };
  const named = "$schema" in schema ? String(schema.$schema) : "";
  const isSeven = named.includes("draft-07") || named.includes("draft-06");
  const ajv = isSeven ? drafts.seven : drafts.latest;
  const { $schema: _, ...body } = schema as Record<string, unknown>;
  if (ajv.validateSchema(body) !== true) {
    throw new GrammarProblem(`not a JSON Schema: ${ajv.errorsText(ajv.errors, { dataVar: "#" })}`);
  }
  return schema;
}

function requireDepth(value: unknown, left: number): void {
  if (typeof value !== "object" || value === null) return;
  if (left === 0) throw new GrammarProblem(`expected a schema at most ${depthMax} levels deep`);
  for (const part of Object.values(value)) requireDepth(part, left - 1);
}
