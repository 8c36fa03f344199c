// From a JSON body to checked values, with a list of what was not understood.
import { z } from "zod";
import { ApiError } from "../http/api-error.ts";

/** Something in a request that was not acted on. */
export interface Warning {
  readonly code: "unknown_parameter" | "ignored_parameter";
  readonly param: string;
  readonly message: string;
}

/** Most warnings one answer lists. */
const warningsMax = 32;
/** A name that may be repeated to the client; any other is the client's own text. */
const plainName = /^[\w.-]{1,64}$/;

/**
 * Checks `body` against `schema`. A parameter that is null is one that was left out.
 *
 * @throws {ApiError} "invalid_parameter" naming the first that is wrong; "unknown_parameter" if
 *   `strict` and there is one
 */
export function readBody<Schema extends z.ZodObject>(
  schema: Schema,
  body: unknown,
  { strict }: { strict: boolean },
): { values: z.infer<Schema>; warnings: Warning[] } {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    const found = Array.isArray(body) ? "an array" : body === null ? "null" : typeof body;
    throw new ApiError("invalid_parameter", `body: expected a JSON object, found ${found}`);
  }
  const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
  const unknown = findUnknown(schema, given, "").slice(0, warningsMax);
  if (strict && unknown[0] !== undefined) {
    throw new ApiError("unknown_parameter", unknown[0].message, { param: unknown[0].param });
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return { values: parsed.data, warnings: unknown };
  throw toApiError(parsed.error.issues[0]!);
}

/** Keys that the schema does not know, in the objects that it does. */
function findUnknown(schema: z.ZodObject, given: object, prefix: string): Warning[] {
  return Object.entries(given).flatMap(([key, value]) => {
    const known: unknown = Object.hasOwn(schema.shape, key) ? schema.shape[key] : undefined;
    if (known === undefined) {
      const param = prefix + (plainName.test(key) ? key : "(a name that is not a plain word)");
      const message = `${param}: not a parameter known here; it was not acted on`;
      return [{ code: "unknown_parameter" as const, param, message }];
    }
    const inner = known instanceof z.ZodOptional ? known.unwrap() : known;
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return inner instanceof z.ZodObject && isObject
      ? findUnknown(inner, value, `${prefix}${key}.`)
      : [];
  });
}

/** The innermost complaint: of a union, that of the branch which came furthest. */
function toApiError(issue: z.core.$ZodIssue): ApiError {
  const param = toParam(issue.path) || undefined;
  const message = issue.message.charAt(0).toLowerCase() + issue.message.slice(1);
  return new ApiError("invalid_parameter", `${param ?? "body"}: ${message}`, { param });
}

/** "messages[2].role"; names that are the client's own text are left out. */
function toParam(path: readonly PropertyKey[]): string {
  let param = "";
  for (const part of path) {
    if (typeof part === "number") param += `[${part}]`;
    else if (plainName.test(String(part))) param += `${param === "" ? "" : "."}${String(part)}`;
  }
  return param;
}
