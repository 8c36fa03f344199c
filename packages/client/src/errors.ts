// What a call can fail with, each a class of its own, and how a status becomes one of them.
import { type ServiceError, status } from "@grpc/grpc-js";

/** What is known of a failure. */
export interface Failure {
  /** gRPC's name of the status: "UNAVAILABLE". */
  readonly code: keyof typeof status;
  readonly message: string;
  /** Which coordinator answered, or did not. */
  readonly address: string;
  readonly cause?: unknown;
}

/** A call that failed. Each kind of failure is a class below; `code` tells them apart as well. */
export class OctetError extends Error {
  override readonly name: string = "OctetError";
  readonly code: keyof typeof status;
  readonly address: string;
  constructor(failure: Failure) {
    super(`${failure.address}: ${failure.message}`, { cause: failure.cause });
    this.code = failure.code;
    this.address = failure.address;
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
  if (!isServiceError(error)) return error;
  const code = status[error.code] as keyof typeof status;
  return new (classOf(code))({ code, message: error.details, address, cause: error });
}

function isServiceError(error: unknown): error is ServiceError {
  return (
    error instanceof Error && "code" in error && "details" in error && Number(error.code) in status
  );
}

function classOf(code: keyof typeof status): typeof OctetError {
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
