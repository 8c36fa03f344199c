// The golden prompts of the plain model, asked of a cluster that serves it in f32.
import { status } from "@grpc/grpc-js";
import { expect } from "vitest";
import { readGoldenPrompts } from "../golden/golden-files.ts";
import { generateTokens } from "./generate-tokens.ts";

const prompts = readGoldenPrompts("plain");

/** Transformers' greedy text of each prompt, as token ids. */
export const goldenTokens = prompts.map(({ f32 }) => Array.from(f32.greedyTokenIds));

/** All four prompts at once, each for as long as transformers' text is. */
export async function generateGolden(address: string): Promise<number[][]> {
  const outcomes = await Promise.all(
    prompts.map(({ tokenIds }, i) => generateTokens(address, tokenIds, goldenTokens[i]!.length)),
  );
  for (const { code, details } of outcomes) expect(code, details).toBe(status.OK);
  return outcomes.map(({ tokenIds }) => tokenIds);
}
