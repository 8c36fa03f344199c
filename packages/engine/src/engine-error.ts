// Every failure a caller of the engine is expected to handle.
import type { ExpertId } from "@octet/core";
import type { ExpertCallCode } from "./expert-client.ts";

/**
 * Why a request was refused or failed.
 *
 * - invalid-argument: a parameter is out of range; asking again changes nothing
 * - context-length-exceeded: the prompt leaves no room for an answer
 * - overloaded: the queue is full, or the request waited in it too long; ask again later
 * - expert-unavailable: an expert that the sequence needs did not answer
 * - constraint-failed: the sequence's constraint failed, took too long, or let no token through
 * - device-lost: the attention engine's device went away and did not come back in time; ask again
 * - deadline-exceeded: the request's deadline passed, or its signal timed out
 * - cancelled: the request's signal was aborted, or the engine was closed under it
 * - closed: the engine takes no new requests
 * - internal: a failure of the attention engine, or a bug
 */
export type EngineErrorCode =
  | "invalid-argument"
  | "context-length-exceeded"
  | "overloaded"
  | "expert-unavailable"
  | "constraint-failed"
  | "device-lost"
  | "deadline-exceeded"
  | "cancelled"
  | "closed"
  | "internal";

/** A request that was refused or failed; the message says what was expected and found. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly code: EngineErrorCode;
  /** The message without the code. */
  readonly detail: string;
  /** The expert that did not answer; set exactly if code is "expert-unavailable". */
  readonly expertId: ExpertId | undefined;
  /** Why it did not; set exactly if `expertId` is. */
  readonly expertFailure: ExpertCallCode | undefined;
  /** Which field of the GenerateRequest is out of range, as a path: "sampling.topK". */
  readonly field: string | undefined;
  /** What was passed, and by how much, where that is a number. */
  readonly limit: { readonly max: number; readonly found: number } | undefined;
  /** When asking again may help; set exactly if code is "overloaded". */
  readonly retryAfterMs: number | undefined;
  constructor(code: EngineErrorCode, detail: string, options: EngineErrorOptions = {}) {
    super(`[${code}] ${detail}`, { cause: options.cause });
    this.code = code;
    this.detail = detail;
    this.expertId = options.expertId;
    this.expertFailure = options.expertFailure;
    this.field = options.field;
    this.limit = options.limit;
    this.retryAfterMs = options.retryAfterMs;
  }
}

interface EngineErrorOptions {
  readonly cause?: unknown;
  readonly expertId?: ExpertId;
  readonly expertFailure?: ExpertCallCode;
  readonly field?: string;
  readonly limit?: { readonly max: number; readonly found: number };
  readonly retryAfterMs?: number;
}
