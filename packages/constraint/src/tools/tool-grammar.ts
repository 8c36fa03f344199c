// What a choice of tools means for an answer.
import type { ToolChoice, ToolDefinition } from "@octet/tokenizer";
import { ConstraintError } from "../constraint-error.ts";
import type { ConstraintSpec } from "../constraint-spec.ts";

/** Most calls in one answer. */
export const toolCallsMax = 32;
/** Most tools that one request may name. */
export const toolsMax = 128;

/**
 * @param isParallel whether an answer may have more than one call
 * @returns undefined where the answer is free: no tools, or none wanted
 * @throws {ConstraintError} "invalid-grammar" for names that no call can be told by
 */
export function toolGrammar(
  tools: readonly ToolDefinition[],
  choice: ToolChoice,
  isParallel: boolean,
): ConstraintSpec | undefined {
  if (tools.length > toolsMax) {
    refuse(`expected at most ${toolsMax} tools, found ${tools.length}`);
  }
  const names = new Set(tools.map((tool) => tool.name));
  if (names.size < tools.length) refuse("expected tools whose names differ, found one twice");
  for (const [i, { name }] of tools.entries()) {
    if (/^[a-zA-Z0-9_.:-]{1,128}$/.test(name)) continue;
    refuse(`tools[${i}]: expected a name of 1 to 128 of [a-zA-Z0-9_.:-], found another`);
  }
  if (choice.kind === "named" && !names.has(choice.name)) {
    refuse(`expected the choice of a tool that is listed, found "${choice.name}"`);
  }
  if (choice.kind === "required" && tools.length === 0) {
    refuse("expected at least one tool where a call is required, found none");
  }
  if (choice.kind === "none" || tools.length === 0) return undefined;
  const chosen = choice.kind === "named" ? tools.filter((t) => t.name === choice.name) : tools;
  return {
    kind: "tool-calls",
    tools: chosen.map(({ name, parametersJsonSchema }) => ({ name, parametersJsonSchema })),
    mayAnswer: choice.kind === "auto",
    callsMax: isParallel ? toolCallsMax : 1,
  };
}

function refuse(detail: string): never {
  throw new ConstraintError("invalid-grammar", detail);
}
