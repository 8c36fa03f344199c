// What a caller may ask of scheduling and of the prefix cache, checked once.
import { cacheSaltLengthMax } from "@octet/core";
import { EngineError } from "./engine-error.ts";

/** How a request is treated beside others, as asked. */
export interface SchedulingRequest {
  /**
   * Computed prefixes are shared only among requests of one salt: how long an answer takes to begin
   * tells whether somebody sent the same prompt before. At most cacheSaltLengthMax UTF-16 code
   * units. Default "".
   */
  readonly cacheSalt?: string | undefined;
  /** Whether the prompt may be found computed, and is kept for others to find. Default true. */
  readonly prefixCache?: boolean | undefined;
}

/** How a request is treated beside others: in range, nothing unset. */
export interface SchedulingParams {
  readonly cacheSalt: string;
  readonly prefixCache: boolean;
}

/** @throws {EngineError} "invalid-argument", naming the field, its range and what was found */
export function resolveScheduling(request: SchedulingRequest): SchedulingParams {
  const { cacheSalt = "", prefixCache = true } = request;
  if (cacheSalt.length > cacheSaltLengthMax) {
    throw new EngineError(
      "invalid-argument",
      `cacheSalt: expected at most ${cacheSaltLengthMax} characters, found ${cacheSalt.length}`,
      {
        field: "scheduling.cacheSalt",
        limit: { max: cacheSaltLengthMax, found: cacheSalt.length },
      },
    );
  }
  return { cacheSalt, prefixCache };
}
