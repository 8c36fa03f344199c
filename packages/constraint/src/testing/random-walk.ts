// A model that knows nothing: takes any permitted token, so that whatever may happen does.
import type { TokenConstraint } from "@octet/engine";
import type { Tokenizer } from "@octet/tokenizer";

/** Numbers from 0 to 1, the same for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What a walk came to. */
export interface Walk {
  readonly text: string;
  readonly tokenIds: readonly number[];
  /** False if it was still going on at the longest. */
  readonly hasEnded: boolean;
}

/** How a walk goes. */
export interface WalkOptions {
  readonly tokenizer: Tokenizer;
  readonly vocabSize: number;
  readonly eosTokenId: number;
  readonly random: () => number;
  readonly continuesText: boolean;
  /** Tokens after which it makes for the end. */
  readonly hurryAfter?: number;
  /** What it begins with, if it is permitted. */
  readonly opening?: Int32Array;
}

const tokensMax = 3_000;

/** Walks from the beginning to the end, and lets go of the constraint. */
export async function walk(constraint: TokenConstraint, options: WalkOptions): Promise<Walk> {
  const { tokenizer, random, continuesText, hurryAfter = 30, opening = [] } = options;
  const decoder = tokenizer.createStreamDecoder({ continuesText });
  const tokenIds: number[] = [];
  let text = "";
  try {
    let mask = await constraint.advance(undefined);
    while (tokenIds.length < tokensMax) {
      const allowed = mask.isComplete ? [] : permitted(mask.bits, options.vocabSize);
      const mayEnd = mask.isComplete || allowed.includes(options.eosTokenId);
      const isHurried = tokenIds.length >= hurryAfter;
      const given = opening[tokenIds.length];
      if (given === undefined && mayEnd && (allowed.length <= 1 || isHurried || random() < 0.2)) {
        return { text: text + decoder.flush(), tokenIds, hasEnded: true };
      }
      const others = allowed.filter((id) => id !== options.eosTokenId);
      const pool = isHurried ? closers(others, tokenizer, random) : others;
      const tokenId = given ?? pool[Math.floor(random() * pool.length)]!;
      tokenIds.push(tokenId);
      text += decoder.push(tokenId);
      mask = await constraint.advance(tokenId);
    }
    return { text, tokenIds, hasEnded: false };
  } finally {
    constraint.close();
  }
}

/** The ids whose bits are set. */
export function permitted(bits: Uint32Array, vocabSize: number): number[] {
  const ids: number[] = [];
  for (let id = 0; id < vocabSize; id++) {
    if (((bits[id >>> 5]! >>> (id & 31)) & 1) === 1) ids.push(id);
  }
  return ids;
}

/** Those that close something, if there are any; sometimes any, lest it go round. */
function closers(
  ids: readonly number[],
  tokenizer: Tokenizer,
  random: () => number,
): readonly number[] {
  if (random() < 0.2) return ids;
  const closing = ids.filter((id) => {
    const { bytes } = tokenizer.tokenBytes(id)!;
    return bytes.every((byte) => [0x22, 0x29, 0x5d, 0x7d].includes(byte));
  });
  return closing.length > 0 ? closing : ids;
}
