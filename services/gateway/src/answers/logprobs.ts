// Log-probabilities in the three shapes that clients know.
import type { TokenLogprob, TokenLogprobs } from "@octet/protocol";

/** A place at which a text begins: what might stand there has no space in front. */
export function withoutSpace({ chosen, top, ...rest }: TokenLogprobs): TokenLogprobs {
  const strip = (token: TokenLogprob): TokenLogprob =>
    token.text.startsWith(" ")
      ? { ...token, text: token.text.slice(1), bytes: token.bytes.subarray(1) }
      : token;
  return { ...rest, chosen: strip(chosen!), top: top.map(strip) };
}

/** OpenAI's, of a chat. */
export function toChatLogprobs(tokens: readonly TokenLogprobs[]) {
  const content = tokens.map(({ chosen, top }) => ({
    ...toChatToken(chosen!),
    top_logprobs: top.map(toChatToken),
  }));
  return { content, refusal: null };
}

function toChatToken({ text, logprob, bytes }: TokenLogprob) {
  return { token: text, logprob, bytes: [...bytes] };
}

/**
 * OpenAI's, of a completion.
 *
 * @param textOffset characters before the first of them
 * @param first the text of a token before, of which nothing is known: a prompt's first
 */
export function toCompletionLogprobs(
  tokens: readonly TokenLogprobs[],
  textOffset: number,
  first?: string,
) {
  const known = tokens.map(({ chosen, top }) => ({
    token: chosen!.text,
    length: shownLength(chosen!),
    logprob: chosen!.logprob as number | null,
    // The chosen one is among them, as clients look it up there.
    top: Object.fromEntries(
      [...top, chosen!].map(({ text, logprob }) => [text, logprob]),
    ) as Record<string, number> | null,
  }));
  const unknown = { token: first ?? "", length: first?.length ?? 0, logprob: null, top: null };
  const all = first === undefined ? known : [unknown, ...known];
  let offset = textOffset;
  const text_offset = all.map(({ length }) => {
    offset += length;
    return offset - length;
  });
  return {
    tokens: all.map(({ token }) => token),
    token_logprobs: all.map(({ logprob }) => logprob),
    top_logprobs: all.map(({ top }) => top),
    text_offset,
  };
}

/** Those of an answer's parts, in order. */
export function joinLogprobs(parts: readonly ReturnType<typeof toCompletionLogprobs>[]) {
  return {
    tokens: parts.flatMap(({ tokens }) => tokens),
    token_logprobs: parts.flatMap(({ token_logprobs }) => token_logprobs),
    top_logprobs: parts.flatMap(({ top_logprobs }) => top_logprobs),
    text_offset: parts.flatMap(({ text_offset }) => text_offset),
  };
}

/** Characters it adds to the text: a control token is named, but adds none. */
function shownLength({ text, bytes }: TokenLogprob): number {
  return bytes.length === 0 ? 0 : text.length;
}

/** vLLM's, of a prompt: token id to what is known of it; nothing of the first. */
export function toPromptLogprobs(tokens: readonly TokenLogprobs[]) {
  const known = tokens.map(({ chosen, top, rank }) => {
    const likeliest = top.map((token, index) => [token.tokenId, toRanked(token, index + 1)]);
    return Object.fromEntries([...likeliest, [chosen!.tokenId, toRanked(chosen!, rank)]]);
  });
  return [null, ...known];
}

function toRanked({ logprob, text }: TokenLogprob, rank: number) {
  return { logprob, rank, decoded_token: text };
}
