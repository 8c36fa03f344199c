// Runs some prompts at once through anything that streams tokens, and times them.
import type { DecodeRequest, DecodeResult, PrefillResult } from "../harness/text-generator.ts";

/** How much of what was computed before counts. */
export interface StreamOptions {
  /** Whether the prompt may be found computed, and is kept. Else each is computed whole, as at first. */
  readonly prefixCache: boolean;
}

/** Starts one greedy generation that ignores ends of sequence; yields tokens as they come. */
export type StreamTokens = (
  promptTokenIds: readonly number[],
  maxTokens: number,
  options: StreamOptions,
) => AsyncIterable<readonly number[]>;

const computedWhole: StreamOptions = { prefixCache: false };

/** From the call to the first token; the answer has no other. */
export async function timePrefill(
  stream: StreamTokens,
  promptTokenIds: readonly number[],
  options: StreamOptions = computedWhole,
): Promise<PrefillResult> {
  const start = performance.now();
  let first: PrefillResult | undefined;
  for await (const [tokenId] of stream(promptTokenIds, 1, options)) {
    if (tokenId !== undefined) first ??= { ms: performance.now() - start, tokenId };
  }
  if (first !== undefined) return first;
  throw new Error("the answer ended without a token");
}

type Answers = Pick<DecodeRequest, "prompts" | "steps">;

/** How a decode is timed. */
export interface DecodeTiming {
  /** Called when every sequence has had its first token. */
  readonly onDecoding?: () => void;
  /** Of the prompts. */
  readonly options?: StreamOptions;
}

/**
 * @throws {Error} if a sequence ends early, or has had its last token before all had their first
 */
export async function timeDecode(
  stream: StreamTokens,
  request: Answers,
  { onDecoding = () => {}, options = computedWhole }: DecodeTiming = {},
): Promise<DecodeResult> {
  let started = 0;
  let startMs: number | undefined;
  const tokenIds = await readAnswers(stream, request, options, () => {
    if (++started < request.prompts.length) return;
    startMs = performance.now();
    onDecoding();
  });
  return { ms: performance.now() - startMs!, tokenIds };
}

/**
 * Times whole answers: from when all are asked for to when the last one is there.
 *
 * @throws {Error} if a sequence ends early
 */
export async function timeAnswers(stream: StreamTokens, request: Answers): Promise<DecodeResult> {
  const startMs = performance.now();
  const tokenIds = await readAnswers(stream, request, computedWhole, () => {});
  return { ms: performance.now() - startMs, tokenIds };
}

function readAnswers(
  stream: StreamTokens,
  { prompts, steps }: Answers,
  options: StreamOptions,
  onFirstToken: () => void,
): Promise<number[][]> {
  const read = async (prompt: readonly number[]) => {
    const answer: number[] = [];
    for await (const delta of stream(prompt, steps + 1, options)) {
      if (answer.length === 0 && delta.length > 0) onFirstToken();
      answer.push(...delta);
    }
    if (answer.length === steps + 1) return answer;
    throw new Error(`expected ${steps + 1} tokens, found ${answer.length}`);
  };
  return Promise.all(prompts.map(read));
}
