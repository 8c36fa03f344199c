// What a caller may ask of scheduling and of the prefix cache, checked once.
import { cacheSaltLengthMax, clientIdLengthMax } from "@octet/core";
import { EngineError } from "./engine-error.ts";

/** How a request is treated beside others, as asked. */
export interface SchedulingRequest {
  /**
   * Whose share of the machine it takes: where there is not enough for all, clients get the same
   * number of tokens. At most clientIdLengthMax UTF-16 code units. Default "", a client like any
   * other.
   */
  readonly clientId?: string | undefined;
  /** Lower runs first, and may take the blocks of higher. An integer of 32 bits. Default 0. */
  readonly priority?: number | undefined;
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
  readonly clientId: string;
  readonly priority: number;
  readonly cacheSalt: string;
  readonly prefixCache: boolean;
}

/** @throws {EngineError} "invalid-argument", naming the field, its range and what was found */
export function resolveScheduling(request: SchedulingRequest): SchedulingParams {
  const { clientId = "", priority = 0, cacheSalt = "", prefixCache = true } = request;
  requireLength("clientId", clientId, clientIdLengthMax);
  requireLength("cacheSalt", cacheSalt, cacheSaltLengthMax);
  if ((priority | 0) !== priority) {
    const detail = `priority: expected an integer of 32 bits, found ${priority}`;
    throw new EngineError("invalid-argument", detail, { field: "scheduling.priority" });
  }
  return { clientId, priority, cacheSalt, prefixCache };
}

function requireLength(name: string, text: string, lengthMax: number): void {
  if (text.length <= lengthMax) return;
  throw new EngineError(
    "invalid-argument",
    `${name}: expected at most ${lengthMax} characters, found ${text.length}`,
    { field: `scheduling.${name}`, limit: { max: lengthMax, found: text.length } },
  );
}
