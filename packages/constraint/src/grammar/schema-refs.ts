// References within one schema, and whether values come to an end.
import { GrammarProblem } from "./grammar-problem.ts";
import type { Schema } from "./schema-keywords.ts";

/** What a reference such as "#/$defs/node" stands for. */
export function resolveRef(root: unknown, ref: unknown, path: string): unknown {
  if (typeof ref !== "string" || (ref !== "#" && !ref.startsWith("#/"))) {
    throw new GrammarProblem(
      `${path}: expected a "$ref" within the schema, "#/…", found ${JSON.stringify(ref)}`,
    );
  }
  let at: unknown = root;
  for (const part of ref.split("/").slice(1)) {
    const key = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
    at = isContainer(at) && Object.hasOwn(at, key) ? at[key] : undefined;
    if (at === undefined) {
      throw new GrammarProblem(`${path}: "$ref" ${JSON.stringify(ref)} leads nowhere`);
    }
  }
  return at;
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/**
 * Whether a value can come to an end: a node that requires another node of its kind cannot. A schema
 * met again while it is being looked at adds nothing that was not seen the first time.
 */
export function canEnd(schema: unknown, root: unknown, open = new Set<unknown>()): boolean {
  if (typeof schema !== "object" || schema === null) return true;
  if (open.has(schema)) return false;
  const inside = new Set(open).add(schema);
  const ends = (part: unknown): boolean => canEnd(part, root, inside);
  const { $ref, anyOf, oneOf, allOf, properties, required, items, prefixItems, minItems } =
    schema as Schema;
  if ($ref !== undefined) return ends(resolveRef(root, $ref, "#"));
  const options = anyOf ?? oneOf;
  if (Array.isArray(options)) return options.some(ends);
  if (Array.isArray(allOf)) return allOf.every(ends);
  const needed = Array.isArray(required) ? required : [];
  const members = isContainer(properties) ? properties : {};
  if (!needed.every((name) => ends(members[name as string]))) return false;
  const count = typeof minItems === "number" ? minItems : 0;
  const listed = Array.isArray(prefixItems) ? prefixItems : [];
  return listed.slice(0, count).every(ends) && (count <= listed.length || ends(items));
}
