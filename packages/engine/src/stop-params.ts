// When a sequence ends, as asked, checked once.
import { stopStringLengthMax, stopStringsMax, stopTokenIdsMax } from "@octet/core";
import { EngineError } from "./engine-error.ts";
import { requireTokenId } from "./sampling-params.ts";

/** When a sequence ends, besides the model's own end and the context's. */
export interface StopRequest {
  /**
   * Most tokens to generate, at least 1; or 0, to be told the prompt's logprobs and no more.
   * Default, and what more than that comes to: the rest of the context.
   */
  readonly maxTokens?: number | undefined;
  /**
   * The text ends before the first of these to be complete. At most stopStringsMax, each of
   * 1 .. stopStringLengthMax UTF-16 code units. Default: none.
   */
  readonly strings?: readonly string[] | undefined;
  /** Go on after an end-of-sequence token. Default false. */
  readonly ignoreEos?: boolean | undefined;
  /**
   * Any of these tokens ends the sequence, and its text is not shown. At most stopTokenIdsMax.
   * Default: none.
   */
  readonly tokenIds?: readonly number[] | undefined;
  /**
   * So many tokens come before one that ends the sequence may, and a stop string ends it only if
   * it is complete by then or later; 0 .. the most that may come. Default 0.
   */
  readonly minTokens?: number | undefined;
  /** Whether the stop string that ends the text is part of it. Default false. */
  readonly includeStopString?: boolean | undefined;
}

/** When a sequence ends: in range, nothing unset. */
export interface StopParams {
  readonly maxTokens: number;
  readonly strings: readonly string[];
  readonly ignoreEos: boolean;
  readonly tokenIds: readonly number[];
  readonly minTokens: number;
  readonly includeStopString: boolean;
}

/**
 * @param context.roomTokens tokens the context has room for after the prompt, at least 1; caps
 *   maxTokens
 * @param context.maySayNothing whether maxTokens may be 0
 * @throws {EngineError} "invalid-argument", naming the field, its range and what was found
 */
export function resolveStop(
  request: StopRequest,
  context: { roomTokens: number; vocabSize: number; maySayNothing: boolean },
): StopParams {
  const { roomTokens, vocabSize, maySayNothing } = context;
  const { maxTokens = roomTokens, minTokens = 0, strings = [], tokenIds = [] } = request;
  const least = maySayNothing ? 0 : 1;
  if (!(Number.isInteger(maxTokens) && maxTokens >= least)) {
    throw new EngineError(
      "invalid-argument",
      `maxTokens: expected an integer of ${least} or more, found ${maxTokens}` +
        (maxTokens === 0 ? "; 0 is for requests that ask for the prompt's logprobs" : ""),
      { field: "stop.maxTokens" },
    );
  }
  const most = Math.min(maxTokens, roomTokens);
  if (!(Number.isInteger(minTokens) && minTokens >= 0 && minTokens <= most)) {
    throw new EngineError(
      "invalid-argument",
      `minTokens: expected 0 .. ${most}, the most that may come, found ${minTokens}`,
      { field: "stop.minTokens" },
    );
  }
  checkStrings(strings);
  if (tokenIds.length > stopTokenIdsMax) {
    throw new EngineError(
      "invalid-argument",
      `stop token ids: expected at most ${stopTokenIdsMax}, found ${tokenIds.length}`,
      { field: "stop.tokenIds", limit: { max: stopTokenIdsMax, found: tokenIds.length } },
    );
  }
  for (const tokenId of tokenIds) requireTokenId("stop.tokenIds", tokenId, vocabSize);
  return {
    maxTokens: most,
    strings: [...strings],
    ignoreEos: request.ignoreEos ?? false,
    tokenIds: [...tokenIds],
    minTokens,
    includeStopString: request.includeStopString ?? false,
  };
}

function checkStrings(strings: readonly string[]): void {
  if (strings.length > stopStringsMax) {
    throw new EngineError(
      "invalid-argument",
      `stop strings: expected at most ${stopStringsMax}, found ${strings.length}`,
      { field: "stop.strings", limit: { max: stopStringsMax, found: strings.length } },
    );
  }
  strings.forEach((text, index) => {
    if (text.length >= 1 && text.length <= stopStringLengthMax) return;
    // The string itself is the user's text and stays out of the message.
    throw new EngineError(
      "invalid-argument",
      `stop string ${index}: expected 1 .. ${stopStringLengthMax} characters, ` +
        `found ${text.length}`,
      { field: `stop.strings[${index}]` },
    );
  });
}
