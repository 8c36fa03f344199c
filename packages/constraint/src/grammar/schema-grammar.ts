// A JSON Schema as a grammar. Whatever the grammar lets through, the schema accepts.
import { type Bound, integerRange, numberRange } from "./decimal-range.ts";
import { anyOf, inOrder, literal, nothing, repeat } from "./ebnf.ts";
import { GrammarProblem } from "./grammar-problem.ts";
import { type JsonRules, jsonCharacter } from "./json-text.ts";
import { otherKey } from "./other-keys.ts";
import { regexGrammar, repetitionsMax } from "./regex-grammar.ts";
import { requireOnly, type Schema, type SchemaType, typesOf } from "./schema-keywords.ts";
import { findOverlap, typeOfValue } from "./schema-one-of.ts";
import { canEnd, resolveRef } from "./schema-refs.ts";
import { stringFormats } from "./string-formats.ts";

/**
 * Objects have the properties that the schema names, in its order; others only where
 * additionalProperties is given, or where no property is named.
 *
 * @param root a parsed schema, valid as such
 * @param path how to call it in messages
 * @returns an expression for its values
 * @throws {GrammarProblem} with the place and the name of what cannot be enforced
 */
export function schemaGrammar(root: unknown, rules: JsonRules, path: string): string {
  if (!canEnd(root, root)) {
    throw new GrammarProblem(
      `${path}: expected a schema that some value fits, found none that ends`,
    );
  }
  return new SchemaWriter(root, rules).value(root, path, []);
}

class SchemaWriter {
  readonly #root: unknown;
  readonly #rules: JsonRules;
  readonly #refs = new Map<string, string>();

  constructor(root: unknown, rules: JsonRules) {
    this.#root = root;
    this.#rules = rules;
  }

  /** @param open references followed since the value began: met again, they would lead in a ring */
  value(schema: unknown, path: string, open: readonly string[]): string {
    if (schema === true || schema === undefined) return this.#rules.value;
    if (typeof schema !== "object" || schema === null) {
      throw new GrammarProblem(`${path}: expected a schema that some value fits, found false`);
    }
    const { writer } = this.#rules;
    if ("$ref" in schema) return this.#ref(schema as Schema, path, open);
    return writer.add(this.#body(schema as Schema, path, open));
  }

  #ref(schema: Schema, path: string, open: readonly string[]): string {
    requireOnly(schema, ["$ref"], path);
    const ref = String(schema.$ref);
    if (open.includes(ref)) throw new GrammarProblem(`${path}: "$ref" ${ref} leads back to itself`);
    const known = this.#refs.get(ref);
    const target = resolveRef(this.#root, schema.$ref, path);
    // A ring is only found by following it, so an inner reference is followed each time.
    if (known !== undefined && open.length === 0) return known;
    if (known !== undefined) {
      this.#requireNoRing(target, [...open, ref], path);
      return known;
    }
    const { writer } = this.#rules;
    const name = writer.reserve();
    this.#refs.set(ref, name);
    return writer.add(this.value(target, ref, [...open, ref]), name);
  }

  #requireNoRing(schema: unknown, open: readonly string[], path: string): void {
    if (typeof schema !== "object" || schema === null) return;
    const { $ref, anyOf: several, oneOf, allOf } = schema as Schema;
    if ($ref !== undefined) {
      const ref = String($ref);
      if (open.includes(ref))
        throw new GrammarProblem(`${path}: "$ref" ${ref} leads back to itself`);
      this.#requireNoRing(resolveRef(this.#root, ref, path), [...open, ref], path);
    }
    for (const options of [several, oneOf, allOf]) {
      if (Array.isArray(options)) {
        for (const option of options) this.#requireNoRing(option, open, path);
      }
    }
  }

  #body(schema: Schema, path: string, open: readonly string[]): string {
    if ("const" in schema || "enum" in schema) return listedValues(schema, path);
    for (const keyword of ["anyOf", "oneOf", "allOf"] as const) {
      if (!(keyword in schema)) continue;
      requireOnly(schema, [keyword], path);
      return this.#options(keyword, schema[keyword] as readonly unknown[], path, open);
    }
    const types = typesOf(schema, path);
    if (types.length === 0) return this.#rules.value;
    return anyOf(types.map((type) => this.#typed(type, schema, path)));
  }

  #options(
    keyword: "anyOf" | "oneOf" | "allOf",
    options: readonly unknown[],
    path: string,
    open: readonly string[],
  ): string {
    if (keyword === "allOf" && options.length > 1) {
      throw new GrammarProblem(
        `${path}: keyword "allOf" with more than one schema cannot be enforced; write them as one`,
      );
    }
    const overlap = keyword === "oneOf" ? findOverlap(options, this.#root) : undefined;
    if (overlap !== undefined) {
      throw new GrammarProblem(
        `${path}: keyword "oneOf" cannot be enforced, since a value may fit its options ` +
          `${overlap.join(" and ")}; use "anyOf", or types or constants that tell them apart`,
      );
    }
    return anyOf(options.map((part, i) => this.value(part, `${path}/${keyword}/${i}`, open)));
  }

  #typed(type: SchemaType, schema: Schema, path: string): string {
    switch (type) {
      case "object":
        return this.#object(schema, path);
      case "array":
        return this.#array(schema, path);
      case "string":
        return this.#string(schema, path);
      case "number":
      case "integer":
        return this.#number(type, schema, path);
      case "boolean":
        return this.#rules.boolean;
      case "null":
        return '"null"';
    }
  }

  #number(type: "number" | "integer", schema: Schema, path: string): string {
    const min = tighter(boundOf(schema, "minimum"), boundOf(schema, "exclusiveMinimum"), 1);
    const max = tighter(boundOf(schema, "maximum"), boundOf(schema, "exclusiveMaximum"), -1);
    if (min === undefined && max === undefined) return this.#rules[type];
    return at(path, () => (type === "integer" ? integerRange : numberRange)(min, max));
  }

  #string(schema: Schema, path: string): string {
    const { pattern, format, minLength = 0, maxLength = Infinity } = schema;
    const given = [pattern, format, schema.minLength ?? schema.maxLength];
    if (given.filter((part) => part !== undefined).length > 1) {
      throw new GrammarProblem(
        `${path}: of "pattern", "format" and lengths, one at a time can be enforced`,
      );
    }
    const expression = pattern ?? stringFormats.get(format as string);
    if (expression === undefined && format !== undefined) {
      const known = [...stringFormats.keys()].join(", ");
      throw new GrammarProblem(`${path}: expected a format among ${known}, found "${format}"`);
    }
    if (expression === undefined) {
      const [min, max] = [minLength as number, maxLength as number];
      requireCounts(min, max, `${path}: "minLength" and "maxLength"`);
      const { character } = this.#rules;
      return inOrder('"\\""', repeat(character, min, max), '"\\""');
    }
    return at(path, () => {
      const reading = { character: jsonCharacter, extent: "anywhere" } as const;
      return inOrder('"\\""', regexGrammar(expression as string, reading), '"\\""');
    });
  }

  #array(schema: Schema, path: string): string {
    const { items, minItems = 0, maxItems = Infinity } = schema;
    const [min, max] = [minItems as number, maxItems as number];
    requireCounts(min, max, `${path}: "minItems" and "maxItems"`);
    const listed = (schema.prefixItems ?? []) as readonly unknown[];
    const first = listed
      .slice(0, max)
      .map((part, i) => this.value(part, `${path}/prefixItems/${i}`, []));
    // Beyond those listed, as beyond named properties: nothing unless it is asked for.
    const hasMore = items !== false && (items !== undefined || listed.length === 0);
    const itemMax = hasMore ? max : Math.min(max, listed.length);
    if (min > itemMax) throw new GrammarProblem(`${path}: no array has "minItems" items`);
    if (first.length === 0) {
      const item = itemMax === 0 ? nothing : this.value(items, `${path}/items`, []);
      return this.#rules.list("[]", item, min, itemMax);
    }
    const { comma, space } = this.#rules;
    let rest = nothing;
    if (itemMax > first.length) {
      const item = inOrder(comma, this.value(items, `${path}/items`, []));
      rest = repeat(item, Math.max(0, min - first.length), itemMax - first.length);
    }
    for (const [i, item] of [...first.entries()].reverse()) {
      const part = inOrder(i === 0 ? nothing : comma, item, rest, i === 0 ? space : nothing);
      rest = i < min ? part : repeat(part, 0, 1);
    }
    return inOrder('"["', space, rest, '"]"');
  }

  #object(schema: Schema, path: string): string {
    const { writer, space, comma, colon, object } = this.#rules;
    const properties = (schema.properties ?? {}) as Schema;
    const required = new Set((schema.required ?? []) as readonly string[]);
    const names = [...new Set([...Object.keys(properties), ...required])];
    const { additionalProperties: other = names.length === 0 } = schema;
    if (names.length === 0 && other === true) return object;
    const others = other === false ? undefined : this.#otherMember(names, other, path);
    const members = names.map((name) => {
      if (!Object.hasOwn(properties, name) && other === false) {
        throw new GrammarProblem(`${path}: required property "${name}" is allowed nowhere`);
      }
      const part = Object.hasOwn(properties, name) ? properties[name] : other;
      if (part === false && !required.has(name)) return { name, expression: undefined };
      const value = this.value(part, `${path}/properties/${name}`, []);
      return { name, expression: inOrder(literal(JSON.stringify(name)), colon, value) };
    });
    // `later` goes on after a member, to the space before the end; `first` may be the beginning.
    const more = others === undefined ? nothing : repeat(inOrder(comma, others), 0, Infinity);
    let later = inOrder(more, space);
    let first = others === undefined ? nothing : repeat(inOrder(others, later), 0, 1);
    for (const { name, expression } of members.reverse()) {
      if (expression === undefined) continue;
      const begun = inOrder(expression, later);
      const added = inOrder(comma, expression);
      first = writer.add(!required.has(name) ? anyOf([begun, first]) : begun);
      later = writer.add(inOrder(required.has(name) ? added : repeat(added, 0, 1), later));
    }
    return inOrder('"{"', space, first, '"}"');
  }

  #otherMember(names: readonly string[], schema: unknown, path: string): string {
    const { writer, colon } = this.#rules;
    const value = this.value(schema, `${path}/additionalProperties`, []);
    return writer.add(inOrder(otherKey(names, writer), colon, value));
  }
}

function listedValues(schema: Schema, path: string): string {
  const keyword = "const" in schema ? "const" : "enum";
  requireOnly(schema, [keyword, "type"], path);
  const listed = keyword === "const" ? [schema.const] : (schema.enum as readonly unknown[]);
  const types = schema.type === undefined ? undefined : [schema.type].flat();
  const values = listed.filter(
    (value) =>
      types === undefined ||
      types.includes(typeOfValue(value)) ||
      (types.includes("integer") && Number.isInteger(value)),
  );
  if (values.length === 0)
    throw new GrammarProblem(`${path}: no value of "${keyword}" fits "type"`);
  return anyOf(values.map((value) => literal(JSON.stringify(value))));
}

function boundOf(schema: Schema, keyword: string): Bound | undefined {
  const value = schema[keyword];
  if (typeof value !== "number") return undefined;
  return { value, isExclusive: keyword.startsWith("exclusive") };
}

/** The bound that lets less through; where both are equal, the exclusive one. */
function tighter(plain: Bound | undefined, exclusive: Bound | undefined, sign: 1 | -1) {
  if (plain === undefined || exclusive === undefined) return plain ?? exclusive;
  return sign * plain.value > sign * exclusive.value ? plain : exclusive;
}

function requireCounts(min: number, max: number, what: string): void {
  const tooMany = Math.max(min, Number.isFinite(max) ? max : 0);
  if (min > max) throw new GrammarProblem(`${what}: expected min <= max, found ${min} > ${max}`);
  if (tooMany <= repetitionsMax) return;
  throw new GrammarProblem(`${what}: expected at most ${repetitionsMax}, found ${tooMany}`);
}

function at<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (error instanceof GrammarProblem) throw new GrammarProblem(`${path}: ${error.message}`);
    throw error;
  }
}
