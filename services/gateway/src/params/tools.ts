// Tools that a reply may call.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type ChatRequestSchema, ToolChoiceMode } from "@octet/protocol";
import { z } from "zod";
import { ApiError } from "../http/api-error.ts";

/** Most tools of one conversation. */
const toolsMax = 128;

const toolName = z.string().min(1).max(256);

const tool = z.object({
  type: z.literal("function").default("function"),
  function: z.object({
    name: toolName,
    description: z.string().nullish(),
    parameters: z
      .record(z.string(), z.unknown())
      .nullish()
      .describe("A JSON Schema. Default: no arguments."),
    strict: z.boolean().nullish().describe("Of no effect: arguments always keep to the schema."),
  }),
});

/** The parameters. */
export const toolsShape = {
  tools: z.array(tool).max(toolsMax).optional(),
  tool_choice: z
    .union(
      [
        z.enum(["none", "auto", "required", "any"]),
        z.object({
          type: z.literal("function").default("function"),
          function: z.object({ name: toolName }),
        }),
      ],
      {
        error:
          'expected "none", "auto", "required", "any", or ' +
          '{"type": "function", "function": {"name": "..."}}',
      },
    )
    .optional()
    .describe("Default auto. any is Mistral's name for required."),
  parallel_tool_calls: z.boolean().optional().describe("Default true."),
} as const;

type Values = z.infer<z.ZodObject<typeof toolsShape>>;
type ToolParams = Pick<
  MessageInitShape<typeof ChatRequestSchema>,
  "tools" | "toolChoice" | "parallelToolCalls"
>;

const modes = {
  none: ToolChoiceMode.NONE,
  auto: ToolChoiceMode.AUTO,
  required: ToolChoiceMode.REQUIRED,
  any: ToolChoiceMode.REQUIRED,
} as const;

/** @throws {ApiError} for a call that is required of a tool which is not there */
export function toTools({ tools = [], tool_choice, parallel_tool_calls }: Values): ToolParams {
  requireChosen(tools, tool_choice);
  return {
    tools: tools.map(({ function: { name, description, parameters } }) => ({
      name,
      description: description ?? "",
      parametersJsonSchema: parameters == null ? "" : JSON.stringify(parameters),
    })),
    ...(tool_choice === undefined ? {} : { toolChoice: { kind: toChoice(tool_choice) } }),
    ...(parallel_tool_calls === undefined ? {} : { parallelToolCalls: parallel_tool_calls }),
  };
}

function toChoice(choice: NonNullable<Values["tool_choice"]>) {
  return typeof choice === "string"
    ? ({ case: "mode", value: modes[choice] } as const)
    : ({ case: "name", value: choice.function.name } as const);
}

function requireChosen(tools: NonNullable<Values["tools"]>, choice: Values["tool_choice"]): void {
  if (choice === undefined || choice === "none" || choice === "auto") return;
  const isThere =
    typeof choice === "string"
      ? tools.length > 0
      : tools.some((each) => each.function.name === choice.function.name);
  if (isThere) return;
  const message =
    tools.length === 0
      ? "tool_choice: expected tools beside it, found none"
      : "tool_choice: expected the name of one of tools, found another";
  throw new ApiError("invalid_parameter", message, { param: "tool_choice" });
}
