// How long readers of running answers wait from token to token while a long prompt arrives.
import type { StreamTokens } from "./generate-side-by-side.ts";

/** What runs, and what arrives. */
export interface GapRequest {
  readonly prompts: readonly (readonly number[])[];
  /** Gaps of each answer. */
  readonly steps: number;
  /** A prompt that is sent when every answer has begun, and wants one token. */
  readonly arrival: readonly number[];
}

/** What the readers saw. */
export interface GapResult {
  /** Of all answers, from one delta to the next, once every answer had begun. */
  readonly gapsMs: readonly number[];
  /** From when the arriving prompt was sent to its token. */
  readonly arrivalMs: number;
  /** Of each answer, and of the prompt that arrived. */
  readonly tokenIds: readonly (readonly number[])[];
}

/** @throws {Error} if an answer ended before the prompt that arrived had its token */
export async function timeTokenGaps(
  stream: StreamTokens,
  { prompts, steps, arrival }: GapRequest,
): Promise<GapResult> {
  const gapsMs: number[] = [];
  const computedWhole = { prefixCache: false };
  let begun = 0;
  let running = prompts.length;
  let everyoneBegan = () => {};
  const began = new Promise<void>((resolve) => {
    everyoneBegan = resolve;
  });
  const readRunning = async (prompt: readonly number[]) => {
    const answer: number[] = [];
    let lastMs: number | undefined;
    for await (const delta of stream(prompt, steps + 1, computedWhole)) {
      if (delta.length === 0) continue;
      const nowMs = performance.now();
      if (answer.length === 0 && ++begun === prompts.length) everyoneBegan();
      if (lastMs !== undefined && begun === prompts.length) gapsMs.push(nowMs - lastMs);
      lastMs = nowMs;
      answer.push(...delta);
    }
    running -= 1;
    return answer;
  };
  const readArrival = async () => {
    await began;
    const startMs = performance.now();
    const answer: number[] = [];
    for await (const delta of stream(arrival, 1, computedWhole)) answer.push(...delta);
    if (running < prompts.length) {
      throw new Error(`an answer of ${steps} steps ended before the prompt that arrived was read`);
    }
    return { arrivalMs: performance.now() - startMs, answer };
  };
  const [{ arrivalMs, answer }, ...answers] = await Promise.all([
    readArrival(),
    ...prompts.map(readRunning),
  ]);
  return { gapsMs, arrivalMs, tokenIds: [...answers, answer] };
}
