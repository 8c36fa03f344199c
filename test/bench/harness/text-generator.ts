// What is compared: something that continues token ids, ours or another's.

/** Generates greedily; one call at a time. Times are its own, in ms. */
export interface TextGenerator {
  /** From the prompt, of which nothing is remembered, to the first token after it. */
  prefill(promptTokenIds: readonly number[]): Promise<PrefillResult>;
  decode(request: DecodeRequest): Promise<DecodeResult>;
}

/** What came of a prompt. */
export interface PrefillResult {
  readonly ms: number;
  readonly tokenId: number;
}

/** Sequences that are decoded side by side. */
export interface DecodeRequest {
  readonly prompts: readonly (readonly number[])[];
  /** Steps that are timed. A first token for each sequence, from its prompt, comes before them. */
  readonly steps: number;
  /**
   * For each sequence its first token and those of all steps but the last, to be taken instead of
   * what the generator would choose: so that both sides ask the same experts. Ours chooses.
   */
  readonly forced?: readonly (readonly number[])[];
}

/** What came of a {@link DecodeRequest}. */
export interface DecodeResult {
  /** From when the last sequence had its first token to when the last one had all. */
  readonly ms: number;
  /** For each sequence, steps + 1 tokens: what the generator chose. */
  readonly tokenIds: readonly (readonly number[])[];
}

/** Tokens a second of all sequences together. */
export function tokensPerSecond(request: DecodeRequest, { ms }: { readonly ms: number }): number {
  return (request.prompts.length * request.steps * 1000) / ms;
}

/** How many of `ours` another would have chosen, 0 .. 1; near ties go either way. */
export function shareOfEqualTokens(
  ours: DecodeResult["tokenIds"],
  theirs: DecodeResult["tokenIds"],
): number {
  const flat = ours.flat();
  const others = theirs.flat();
  return flat.filter((token, i) => token === others[i]).length / flat.length;
}

/** Prompts without control tokens, the same in every run, no two alike. */
export function makePrompts(count: number, length: number, vocabSize: number): number[][] {
  // Primes far from each other: neighbours in a prompt, and prompts, share no pattern.
  return Array.from({ length: count }, (_, sequence) =>
    Array.from({ length }, (_, at) => 3 + ((sequence * 104_729 + at * 7919) % (vocabSize - 3))),
  );
}
