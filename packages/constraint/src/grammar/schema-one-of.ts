// oneOf is anyOf wherever no value can fit two options; elsewhere it cannot be enforced.
import type { Schema } from "./schema-keywords.ts";
import { resolveRef } from "./schema-refs.ts";

/** The first two options that one value may fit, by their places, or undefined. */
export function findOverlap(
  options: readonly unknown[],
  root: unknown,
): readonly [number, number] | undefined {
  for (let second = 1; second < options.length; second++) {
    for (let first = 0; first < second; first++) {
      if (!areApart(options[first], options[second], root)) return [first, second];
    }
  }
  return undefined;
}

function areApart(a: unknown, b: unknown, root: unknown): boolean {
  const [one, other] = [plain(a, root), plain(b, root)];
  if (one === undefined || other === undefined) return false;
  const [someValues, otherValues] = [valuesOf(one), valuesOf(other)];
  if (someValues !== undefined && otherValues !== undefined) {
    return someValues.every((value) => !otherValues.includes(value));
  }
  const [someTypes, otherTypes] = [typeNames(one), typeNames(other)];
  if (someTypes === undefined || otherTypes === undefined) return false;
  if (someTypes.every((type) => !otherTypes.includes(type))) return true;
  return (
    someTypes.join() === "object" && otherTypes.join() === "object" && differ(one, other, root)
  );
}

/** Whether both require a property whose values are listed, and no value is in both lists. */
function differ(one: Schema, other: Schema, root: unknown): boolean {
  const shared = namesIn(one.required).filter((name) => namesIn(other.required).includes(name));
  return shared.some((name) => {
    const values = [one, other].map((schema) => {
      const member = (schema.properties as Schema | undefined)?.[name];
      const option = plain(member, root);
      return option === undefined ? undefined : valuesOf(option);
    });
    const [some, others] = values;
    if (some === undefined || others === undefined) return false;
    return some.every((value) => !others.includes(value));
  });
}

function namesIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === "string") : [];
}

/** The schema that a chain of references leads to; none if it goes round. */
function plain(option: unknown, root: unknown): Schema | undefined {
  const seen = new Set<unknown>();
  let at = option;
  while (typeof at === "object" && at !== null && "$ref" in at && !seen.has(at)) {
    seen.add(at);
    at = resolveRef(root, at.$ref, "#");
  }
  return typeof at === "object" && at !== null && !("$ref" in at) ? (at as Schema) : undefined;
}

function valuesOf(schema: Schema): string[] | undefined {
  if ("const" in schema) return [JSON.stringify(schema.const)];
  return Array.isArray(schema.enum) ? schema.enum.map((v) => JSON.stringify(v)) : undefined;
}

function typeNames(schema: Schema): string[] | undefined {
  const values = "const" in schema ? [schema.const] : (schema.enum as unknown[] | undefined);
  const types = values?.map(typeOfValue) ?? (schema.type === undefined ? [] : [schema.type].flat());
  if (types.length === 0) return undefined;
  return [...new Set(types.map((type) => (type === "integer" ? "number" : String(type))))];
}

/** The type of a value as JSON Schema names it; whole numbers are "number" here. */
export function typeOfValue(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
