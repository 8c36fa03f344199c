// What a call can fail with, each a class of its own, and how a status becomes one of them.
import { status } from "@grpc/grpc-js";
import type { Failure } from "@octet/protocol";
import { fromServiceError } from "@octet/protocol/grpc-client";

/** gRPC's name of a status: "UNAVAILABLE". */
export type CodeName = Exclude<keyof typeof status, "OK">;

/** A call that failed. Each kind of failure is a class below; `reason` tells more. */
export class OctetError extends Error {
  override readonly name: string = "OctetError";
  readonly code: CodeName;
  /** Which coordinator answered, or did not. */
  readonly address: string;
  /** Why, in a word for programs: "context_length_exceeded", "expert_unavailable". */
  readonly reason: Failure["reason"];
  /** Facts that go with the reason, as text: limit, found, expert. */
  readonly facts: Readonly<Record<string, string>>;
  /** Fields of the request to blame. */
  readonly fieldViolations: NonNullable<Failure["violations"]>;
  /** When the coordinator expects that asking again helps; undefined if it did not say. */
  readonly retryAfterMs: number | undefined;
  constructor(code: CodeName, address: string, failure: Failure, cause?: unknown) {
    super(`${address}: ${failure.message}`, { cause });
    this.code = code;
    this.address = address;
    this.reason = failure.reason;
    this.facts = failure.metadata ?? {};
    this.fieldViolations = failure.violations ?? [];
    this.retryAfterMs = failure.retryAfterMs;
  }
}

/** The request is wrong as it stands; the message says what was expected and what was found. */
export class InvalidRequestError extends OctetError {
  override readonly name = "InvalidRequestError";
}

/** The model named is not served here. */
export class NotFoundError extends OctetError {
  override readonly name = "NotFoundError";
}

/** The coordinator has no room for the request, or a message was over a size limit. */
export class OverloadedError extends OctetError {
  override readonly name = "OverloadedError";
}

/** The coordinator, or an expert it needs, could not be reached. */
export class UnavailableError extends OctetError {
  override readonly name = "UnavailableError";
}

/** The call took longer than its deadline. */
export class DeadlineExceededError extends OctetError {
  override readonly name = "DeadlineExceededError";
}

/** The coordinator ended the call as cancelled, though nobody here did. */
export class CancelledError extends OctetError {
  override readonly name = "CancelledError";
}

/** The coordinator does not have this method or this feature. */
export class UnsupportedError extends OctetError {
  override readonly name = "UnsupportedError";
}

/** A fault of the coordinator; its log has more. */
export class InternalError extends OctetError {
  override readonly name = "InternalError";
}

/**
 * A stream broke, was asked for again with the same seed, and did not begin with what had been
 * delivered: another model, or experts of another engine kind. `cause` is what broke it.
 */
export class AnswerChangedError extends OctetError {
  override readonly name = "AnswerChangedError";
}

/** The client was closed, before the call or while it ran. */
export class ClientClosedError extends Error {
  override readonly name = "ClientClosedError";
  constructor() {
    super("the client is closed");
  }
}

/** The error that a user sees for what grpc-js ended a call with; anything else is handed back. */
export function toOctetError(error: unknown, address: string): unknown {
  const failure = fromServiceError(error);
  if (failure === undefined) return error;
  const code = status[(error as { code: number }).code] as CodeName;
  return new (classOf(code))(code, address, failure, error);
}

function classOf(code: CodeName): typeof OctetError {
  switch (code) {
    case "INVALID_ARGUMENT":
    case "OUT_OF_RANGE":
    case "FAILED_PRECONDITION":
      return InvalidRequestError;
    case "NOT_FOUND":
      return NotFoundError;
    case "RESOURCE_EXHAUSTED":
      return OverloadedError;
    case "UNAVAILABLE":
      return UnavailableError;
    case "DEADLINE_EXCEEDED":
      return DeadlineExceededError;
    case "CANCELLED":
      return CancelledError;
    case "UNIMPLEMENTED":
      return UnsupportedError;
    default:
      return InternalError;
  }
}
