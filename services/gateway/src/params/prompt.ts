// What /v1/completions continues: a text, token ids, or several of either.
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { GenerateRequestSchema } from "@octet/protocol";
import { z } from "zod";
import { ApiError } from "../http/api-error.ts";
import { requirePromptBytes } from "./messages.ts";

/** Most prompts of one request; each is an answer of its own. */
const promptsMax = 64;
/** Most token ids of one prompt: beyond any context. */
const promptTokensMax = 1_048_576;
const uint32Max = 2 ** 32 - 1;

const tokenId = z.number().int().min(0).max(uint32Max);
const tokenIds = z.array(tokenId).min(1).max(promptTokensMax);

/** The parameter. */
export const promptShape = {
  prompt: z
    .union(
      [
        z.string(),
        z.array(z.string()).min(1).max(promptsMax),
        tokenIds,
        z.array(tokenIds).min(1).max(promptsMax),
      ],
      {
        error: `expected a string, token ids, or a list of 1 to ${promptsMax} of either`,
      },
    )
    .describe("A text, token ids, or several of either."),
} as const;

/** One prompt of a request. */
export type PromptInput = Exclude<
  NonNullable<MessageInitShape<typeof GenerateRequestSchema>["input"]>,
  { case: "chat" | undefined }
>;

/** @throws {ApiError} if the texts are larger together than one prompt may be */
export function toPromptInputs(prompt: z.infer<typeof promptShape.prompt>): PromptInput[] {
  const prompts = (isMany(prompt) ? prompt : [prompt]) as (string | number[])[];
  const inputs = prompts.map(
    (one): PromptInput =>
      typeof one === "string"
        ? { case: "text", value: one }
        : { case: "tokens", value: { ids: one } },
  );
  const texts = prompts.filter((one) => typeof one === "string");
  requirePromptBytes(texts, "prompt");
  if (texts.length < prompts.length && texts.length > 0) {
    throw new ApiError("invalid_parameter", "prompt: expected texts or token ids, found both", {
      param: "prompt",
    });
  }
  return inputs;
}

function isMany(prompt: z.infer<typeof promptShape.prompt>): boolean {
  return typeof prompt !== "string" && typeof prompt[0] !== "number";
}
