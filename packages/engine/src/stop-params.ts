// When a sequence ends, as asked, checked once.
import { stopStringLengthMax, stopStringsMax } from "@octet/core";
import { EngineError } from "./engine-error.ts";

/** When a sequence ends, besides the model's own end and the context's. */
export interface StopRequest {
  /** Most tokens to generate, at least 1. Default: the rest of the context. */
  readonly maxTokens?: number | undefined;
  /**
   * The text ends before the first of these to be complete. At most stopStringsMax, each of
   * 1 .. stopStringLengthMax UTF-16 code units. Default: none.
   */
  readonly strings?: readonly string[] | undefined;
  /** Go on after an end-of-sequence token. Default false. */
  readonly ignoreEos?: boolean | undefined;
}

/** When a sequence ends: in range, nothing unset. */
export interface StopParams {
  readonly maxTokens: number;
  readonly strings: readonly string[];
  readonly ignoreEos: boolean;
}

/**
 * @param roomTokens tokens the context has room for after the prompt, at least 1; caps maxTokens
 * @throws {EngineError} "invalid-argument", naming the field, its range and what was found
 */
export function resolveStop(request: StopRequest, roomTokens: number): StopParams {
  const { maxTokens = roomTokens, strings = [], ignoreEos = false } = request;
  if (!(Number.isInteger(maxTokens) && maxTokens >= 1)) {
    throw new EngineError(
      "invalid-argument",
      `maxTokens: expected an integer of 1 or more, found ${maxTokens}`,
      { field: "stop.maxTokens" },
    );
  }
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
  return { maxTokens: Math.min(maxTokens, roomTokens), strings: [...strings], ignoreEos };
}
