// The one place where our error codes and gRPC's statuses meet.
import { type StatusCode, statusCode } from "./status-code.ts";

const statusOfCode = {
  // What a caller did.
  "invalid-request": statusCode.INVALID_ARGUMENT,
  "not-found": statusCode.NOT_FOUND,
  cancelled: statusCode.CANCELLED,
  // What the service could not do now.
  "deadline-exceeded": statusCode.DEADLINE_EXCEEDED,
  overloaded: statusCode.RESOURCE_EXHAUSTED,
  unavailable: statusCode.UNAVAILABLE,
  // No worker that we may use holds the expert: to the caller, an expert that is away.
  "not-held": statusCode.UNAVAILABLE,
  unsupported: statusCode.UNIMPLEMENTED,
  // What should not happen: a peer's nonsense, or our own.
  "bad-shape": statusCode.INTERNAL,
  "non-finite": statusCode.INTERNAL,
  internal: statusCode.INTERNAL,
} as const;

/** Everything that a service of ours reports to its callers. */
export type ErrorCode = keyof typeof statusOfCode;

const codeOfStatus = new Map<StatusCode, ErrorCode>([
  [statusCode.INVALID_ARGUMENT, "invalid-request"],
  [statusCode.OUT_OF_RANGE, "invalid-request"],
  [statusCode.NOT_FOUND, "not-found"],
  [statusCode.CANCELLED, "cancelled"],
  [statusCode.DEADLINE_EXCEEDED, "deadline-exceeded"],
  [statusCode.RESOURCE_EXHAUSTED, "overloaded"],
  [statusCode.UNAVAILABLE, "unavailable"],
  [statusCode.UNIMPLEMENTED, "unsupported"],
]);

/** Longest detail of a status: it travels in a header, which peers limit to 8 KiB or so. */
const detailLengthMax = 1024;

/** What grpc-js ends a call with. */
export interface StatusError {
  readonly code: StatusCode;
  readonly details: string;
}

/** The status that tells a caller of `code`. Detail beyond 1024 UTF-16 code units is cut. */
export function toStatusError(code: ErrorCode, detail: string): StatusError {
  // Cutting may halve a surrogate pair, which the header's encoding cannot carry.
  return { code: statusOfCode[code], details: detail.slice(0, detailLengthMax).toWellFormed() };
}

/** What a status that arrived means to us; one that no service of ours sends is "internal". */
export function fromStatus(found: StatusCode): ErrorCode {
  return codeOfStatus.get(found) ?? "internal";
}
