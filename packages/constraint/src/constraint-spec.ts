// What an answer may be asked to keep to.

/** A tool as a grammar sees it: a name, and a schema of its arguments as JSON text. */
export interface ToolShape {
  readonly name: string;
  readonly parametersJsonSchema?: string | undefined;
}

/**
 * - json-object: a JSON object
 * - json-schema: a value that a JSON Schema (as JSON text) accepts
 * - regex: text that an ECMAScript expression (flag u) matches from end to end
 * - choice: one of some texts
 * - grammar: EBNF whose first rule is `root`
 * - tool-calls: with `mayAnswer`, text and then perhaps a list of calls; without, the list alone
 */
export type ConstraintSpec =
  | { readonly kind: "json-object" }
  | { readonly kind: "json-schema"; readonly schema: string }
  | { readonly kind: "regex"; readonly pattern: string }
  | { readonly kind: "choice"; readonly options: readonly string[] }
  | { readonly kind: "grammar"; readonly grammar: string }
  | {
      readonly kind: "tool-calls";
      readonly tools: readonly ToolShape[];
      readonly mayAnswer: boolean;
      readonly callsMax: number;
    };
