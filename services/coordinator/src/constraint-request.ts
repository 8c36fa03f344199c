// A request's constraint and tools, in the words of the packages that enforce them.
import {
  type CheckedConstraint,
  ConstraintError,
  type ConstraintSpec,
  type Constraints,
  toolGrammar,
} from "@octet/constraint";
import {
  type ChatRequest,
  type Constraint,
  type ToolChoice as ToolChoiceMessage,
  ToolChoiceMode,
} from "@octet/protocol";
import type { ToolChoice, ToolDefinition } from "@octet/tokenizer";
import { RequestError } from "./request-error.ts";

/** The tools of a conversation, and which of them may be called. */
export interface RequestTools {
  readonly tools: readonly ToolDefinition[];
  readonly choice: ToolChoice;
}

/** What a request without tools has. */
export const noTools: RequestTools = { tools: [], choice: { kind: "none" } };

/** The tools that a request names. */
export function toTools(request: ChatRequest): RequestTools {
  const tools = request.tools.map(({ name, description, parametersJsonSchema }) => ({
    name,
    description: description === "" ? undefined : description,
    parametersJsonSchema: parametersJsonSchema === "" ? undefined : parametersJsonSchema,
  }));
  return { tools, choice: toChoice(request.toolChoice) };
}

function toChoice(choice: ToolChoiceMessage | undefined): ToolChoice {
  if (choice?.kind.case === "name") return { kind: "named", name: choice.kind.value };
  switch (choice?.kind.value) {
    case ToolChoiceMode.NONE:
      return { kind: "none" };
    case ToolChoiceMode.REQUIRED:
      return { kind: "required" };
    case undefined:
    case ToolChoiceMode.UNSPECIFIED:
    case ToolChoiceMode.AUTO:
      return { kind: "auto" };
    default: {
      const detail = `tool_choice.mode: expected a known mode, found ${choice?.kind.value}`;
      throw new RequestError("invalid_parameter", detail, { field: "tool_choice.mode" });
    }
  }
}

/**
 * The grammar of a reply that may call tools; undefined where it may not.
 *
 * @throws {RequestError} "invalid_grammar"; "invalid_parameter" beside a constraint
 */
export function toToolSpec(
  { tools, choice }: RequestTools,
  request: ChatRequest,
): ConstraintSpec | undefined {
  const isParallel = request.parallelToolCalls ?? true;
  const spec = blaming("tools", () => toolGrammar(tools, choice, isParallel));
  if (spec !== undefined && request.constraint !== undefined) {
    const detail = "constraint: expected none where tools may be called, found one";
    throw new RequestError("invalid_parameter", detail, { field: "constraint" });
  }
  return spec;
}

/** @throws {RequestError} "invalid_parameter" for a constraint of no kind */
export function toSpec(constraint: Constraint | undefined): ConstraintSpec | undefined {
  if (constraint === undefined) return undefined;
  const { kind } = constraint;
  switch (kind.case) {
    case "jsonObject":
      if (kind.value) return { kind: "json-object" };
      break;
    case "jsonSchema":
      return { kind: "json-schema", schema: kind.value };
    case "regex":
      return { kind: "regex", pattern: kind.value };
    case "choice":
      return { kind: "choice", options: kind.value.options };
    case "grammar":
      return { kind: "grammar", grammar: kind.value };
    case undefined:
  }
  const detail =
    "constraint: expected json_object (true), json_schema, regex, choice or grammar; found none";
  throw new RequestError("invalid_parameter", detail, { field: "constraint" });
}

/**
 * Compiles it, before the request takes a place.
 *
 * @throws {RequestError} "invalid_grammar" with the compiler's reason; "overloaded"; "unavailable"
 */
export async function checkConstraint(
  spec: ConstraintSpec | undefined,
  constraints: Constraints,
): Promise<CheckedConstraint | undefined> {
  if (spec === undefined) return undefined;
  try {
    return await constraints.check(spec);
  } catch (error) {
    throw toRequestError(error, spec.kind === "tool-calls" ? "tools" : "constraint");
  }
}

function blaming<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw toRequestError(error, field);
  }
}

function toRequestError(error: unknown, field: string): unknown {
  if (!(error instanceof ConstraintError)) return error;
  const detail = `${field}: ${error.message}`;
  switch (error.code) {
    case "invalid-grammar":
      return new RequestError("invalid_grammar", detail, { field, cause: error });
    case "overloaded":
      return new RequestError("overloaded", detail, { cause: error });
    case "failed":
      return new RequestError("unavailable", detail, { cause: error });
  }
}
