// Every kind of constraint as one EBNF text.
import { toolCallsMarker } from "@octet/tokenizer";
import type { ConstraintSpec, ToolShape } from "../constraint-spec.ts";
import { anyOf, characterClass, inOrder, literal, RuleWriter, repeat } from "./ebnf.ts";
import { withExactClasses } from "./exact-classes.ts";
import { GrammarProblem } from "./grammar-problem.ts";
import { JsonRules } from "./json-text.ts";
import { regexGrammar } from "./regex-grammar.ts";
import { parseSchema } from "./schema-check.ts";
import { schemaGrammar } from "./schema-grammar.ts";

/** The first rule of what {@link specGrammar} gives: one space, the prefix, and then the answer. */
export const firstRule = "octet_first";

/**
 * An answer's first token may bring the tokenizer's dummy prefix with it. So a grammar begins with
 * that space, which is taken as read where there is none.
 *
 * @throws {GrammarProblem}
 */
export function specGrammar(spec: ConstraintSpec): string {
  const first = `${firstRule} ::= " " root\n`;
  if (spec.kind === "grammar") return `${withExactClasses(spec.grammar)}\n${first}`;
  const rules = new JsonRules(new RuleWriter());
  rules.writer.add(rootOf(spec, rules), "root");
  return `${rules.writer}${first}`;
}

function rootOf(spec: Exclude<ConstraintSpec, { kind: "grammar" }>, rules: JsonRules): string {
  switch (spec.kind) {
    case "json-object":
      return rules.object;
    case "json-schema":
      return schemaGrammar(parseSchema(spec.schema), rules, "#");
    case "regex":
      return regexGrammar(spec.pattern, { character: characterClass, extent: "whole" });
    case "choice":
      return choice(spec.options);
    case "tool-calls":
      return toolCalls(spec, rules);
  }
}

function choice(options: readonly string[]): string {
  if (options.length === 0) throw new GrammarProblem("expected at least one choice, found none");
  if (options.some((option) => option === "" || option.includes("\0"))) {
    throw new GrammarProblem("expected choices of at least one character, and no NUL");
  }
  return anyOf([...new Set(options)].map((option) => literal(option.toWellFormed())));
}

function toolCalls(
  spec: Extract<ConstraintSpec, { kind: "tool-calls" }>,
  rules: JsonRules,
): string {
  const { tools, mayAnswer, callsMax } = spec;
  if (tools.length === 0) throw new GrammarProblem("expected at least one tool, found none");
  const call = rules.writer.add(anyOf(tools.map((tool, i) => toolCall(tool, i, rules))));
  const list = rules.writer.add(inOrder(repeat('" "', 0, 1), rules.list("[]", call, 1, callsMax)));
  if (!mayAnswer) return inOrder(literal(toolCallsMarker), list);
  return `TagDispatch((${JSON.stringify(toolCallsMarker)}, ${list}), loop_after_dispatch=false)`;
}

function toolCall(tool: ToolShape, index: number, rules: JsonRules): string {
  const path = `tools[${index}] (${tool.name})`;
  const schema = parseArguments(tool, path);
  const { comma, colon } = rules;
  return inOrder(
    '"{"',
    rules.space,
    literal('"name"'),
    colon,
    literal(JSON.stringify(tool.name)),
    comma,
    literal('"arguments"'),
    colon,
    schema === undefined ? rules.object : schemaGrammar(schema, rules, path),
    rules.space,
    '"}"',
  );
}

function parseArguments(tool: ToolShape, path: string): unknown {
  if (tool.parametersJsonSchema === undefined || tool.parametersJsonSchema === "") return undefined;
  let schema: unknown;
  try {
    schema = parseSchema(tool.parametersJsonSchema);
  } catch (error) {
    if (error instanceof GrammarProblem) throw new GrammarProblem(`${path}: ${error.message}`);
    throw error;
  }
  if (schema === true || Object.keys(schema as object).length === 0) return undefined;
  const { type, properties } = schema as Record<string, unknown>;
  if (type === "object" || (type === undefined && properties !== undefined)) return schema;
  throw new GrammarProblem(`${path}: expected parameters of type "object"`);
}
