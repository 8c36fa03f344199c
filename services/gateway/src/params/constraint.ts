// What an answer must keep to, under the names of OpenAI's, vLLM's and llama-server's APIs.
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ConstraintSchema } from "@octet/protocol";
import { z } from "zod";
import { ApiError } from "../http/api-error.ts";

/** Most texts to choose from. */
const choicesMax = 1024;

/** vLLM takes a schema as an object or as its text. */
const jsonSchema = z.union([z.record(z.string(), z.unknown()), z.boolean(), z.string()], {
  error: "expected a JSON Schema: an object, or its text",
});
const choices = z.array(z.string()).min(1).max(choicesMax);

/** The parameters. */
export const constraintShape = {
  response_format: z
    .object({
      type: z.enum(["text", "json_object", "json_schema"]),
      json_schema: z
        .object({
          name: z.string().optional(),
          description: z.string().nullish(),
          schema: jsonSchema.nullish(),
          strict: z.boolean().nullish().describe("Of no effect: a schema is always kept to."),
        })
        .nullish(),
      schema: jsonSchema.nullish().describe("llama-server's place for the schema."),
    })
    .optional()
    .describe("text, a JSON object, or a value of a JSON Schema."),
  structured_outputs: z
    .object({
      json: jsonSchema.nullish(),
      regex: z.string().nullish(),
      choice: choices.nullish(),
      grammar: z.string().nullish(),
      json_object: z.boolean().nullish(),
    })
    .optional()
    .describe("vLLM's: one of json, regex, choice, grammar (EBNF) and json_object."),
  guided_json: jsonSchema.optional().describe("Another name for structured_outputs.json."),
  guided_regex: z.string().optional(),
  guided_choice: choices.optional(),
  guided_grammar: z.string().optional(),
  json_schema: jsonSchema.optional().describe("llama-server's."),
  grammar: z.string().optional().describe("llama-server's; EBNF whose first rule is root."),
} as const;

type Values = z.infer<z.ZodObject<typeof constraintShape>>;
type Kind = NonNullable<MessageInitShape<typeof ConstraintSchema>["kind"]>;

/** A constraint, and the parameter that it came by: what is wrong with it is wrong there. */
export interface AskedConstraint {
  readonly constraint: MessageInitShape<typeof ConstraintSchema>;
  readonly param: string;
}

/** @throws {ApiError} for one that is incomplete, or more than one */
export function toConstraint(values: Values): AskedConstraint | undefined {
  const asked = [
    ...ofResponseFormat(values.response_format),
    ...ofStructuredOutputs(values.structured_outputs),
    ...ofSchema("guided_json", values.guided_json),
    ...ofText("guided_regex", "regex", values.guided_regex),
    ...ofChoice("guided_choice", values.guided_choice),
    ...ofText("guided_grammar", "grammar", values.guided_grammar),
    ...ofSchema("json_schema", values.json_schema),
    // llama-server's clients send an empty one for none.
    ...(values.grammar === "" ? [] : ofText("grammar", "grammar", values.grammar)),
  ];
  const [first, second] = asked;
  if (second !== undefined) {
    const message = `${second.param}: expected one constraint, found ${first!.param} too`;
    throw new ApiError("invalid_parameter", message, { param: second.param });
  }
  return first;
}

function ofResponseFormat(format: Values["response_format"]): AskedConstraint[] {
  if (format === undefined || format.type === "text") return [];
  const param = "response_format";
  const { json_schema, schema } = format;
  const given = json_schema?.schema ?? schema ?? undefined;
  if (given !== undefined) return ofSchema(param, given);
  if (format.type === "json_object") return [asked(param, { case: "jsonObject", value: true })];
  const message = `${param}.json_schema.schema: expected a JSON Schema, found nothing`;
  throw new ApiError("invalid_parameter", message, { param: `${param}.json_schema.schema` });
}

function ofStructuredOutputs(outputs: Values["structured_outputs"]): AskedConstraint[] {
  if (outputs === undefined) return [];
  const { json, regex, choice, grammar, json_object } = outputs;
  const at = "structured_outputs";
  return [
    ...ofSchema(`${at}.json`, json),
    ...ofText(`${at}.regex`, "regex", regex),
    ...ofChoice(`${at}.choice`, choice),
    ...ofText(`${at}.grammar`, "grammar", grammar),
    ...(json_object === true
      ? [asked(`${at}.json_object`, { case: "jsonObject", value: true })]
      : []),
  ];
}

function ofSchema(param: string, schema: z.infer<typeof jsonSchema> | null | undefined) {
  if (schema == null) return [];
  const value = typeof schema === "string" ? schema : JSON.stringify(schema);
  return [asked(param, { case: "jsonSchema", value })];
}

function ofText(param: string, kind: "regex" | "grammar", value: string | null | undefined) {
  return value == null ? [] : [asked(param, { case: kind, value })];
}

function ofChoice(param: string, options: readonly string[] | null | undefined) {
  return options == null
    ? []
    : [asked(param, { case: "choice", value: { options: [...options] } })];
}

function asked(param: string, kind: Kind): AskedConstraint {
  return { param, constraint: { kind } };
}
