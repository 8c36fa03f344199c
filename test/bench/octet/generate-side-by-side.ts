// Runs some prompts at once through anything that streams tokens, and times them.
import type { DecodeRequest, DecodeResult, PrefillResult } from "../harness/text-generator.ts";

/** Starts one greedy generation that ignores ends of sequence; yields tokens as they come. */
export type StreamTokens = (
  promptTokenIds: readonly number[],
  maxTokens: number,
) => AsyncIterable<readonly number[]>;

/** From the call to the first token; the answer has no other. */
export async function timePrefill(
  stream: StreamTokens,
  promptTokenIds: readonly number[],
): Promise<PrefillResult> {
  const start = performance.now();
  let first: PrefillResult | undefined;
  for await (const [tokenId] of stream(promptTokenIds, 1)) {
    if (tokenId !== undefined) first ??= { ms: performance.now() - start, tokenId };
  }
  if (first !== undefined) return first;
  throw new Error("the answer ended without a token");
}

/**
 * @param onDecoding called when every sequence has had its first token
 * @throws {Error} if a sequence ends early, or has had its last token before all had their first
 */
export async function timeDecode(
  stream: StreamTokens,
  { prompts, steps }: Pick<DecodeRequest, "prompts" | "steps">,
  onDecoding: () => void = () => {},
): Promise<DecodeResult> {
  let started = 0;
  let startMs: number | undefined;
  const tokenIds = await Promise.all(
    prompts.map(async (prompt) => {
      const answer: number[] = [];
      for await (const delta of stream(prompt, steps + 1)) {
        if (answer.length === 0 && delta.length > 0 && ++started === prompts.length) {
          startMs = performance.now();
          onDecoding();
        }
        answer.push(...delta);
      }
      if (answer.length === steps + 1) return answer;
      throw new Error(`expected ${steps + 1} tokens, found ${answer.length}`);
    }),
  );
  return { ms: performance.now() - startMs!, tokenIds };
}
