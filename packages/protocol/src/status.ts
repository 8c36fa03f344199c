// The one place where our error codes and gRPC's statuses meet.
import { status } from "@grpc/grpc-js";

const statusOfCode = {
  // What a caller did.
  "invalid-request": status.INVALID_ARGUMENT,
  "not-found": status.NOT_FOUND,
  cancelled: status.CANCELLED,
  // What the service could not do now.
  "deadline-exceeded": status.DEADLINE_EXCEEDED,
  overloaded: status.RESOURCE_EXHAUSTED,
  unavailable: status.UNAVAILABLE,
  // No worker that we may use holds the expert: to the caller, an expert that is away.
  "not-held": status.UNAVAILABLE,
  unsupported: status.UNIMPLEMENTED,
  // What should not happen: a peer's nonsense, or our own.
  "bad-shape": status.INTERNAL,
  "non-finite": status.INTERNAL,
  internal: status.INTERNAL,
} as const;

/** Everything that a service of ours reports to its callers. */
export type ErrorCode = keyof typeof statusOfCode;

const codeOfStatus = new Map<status, ErrorCode>([
  [status.INVALID_ARGUMENT, "invalid-request"],
  [status.OUT_OF_RANGE, "invalid-request"],
  [status.NOT_FOUND, "not-found"],
  [status.CANCELLED, "cancelled"],
  [status.DEADLINE_EXCEEDED, "deadline-exceeded"],
  [status.RESOURCE_EXHAUSTED, "overloaded"],
  [status.UNAVAILABLE, "unavailable"],
  [status.UNIMPLEMENTED, "unsupported"],
]);

/** Longest detail of a status: it travels in a header, which peers limit to 8 KiB or so. */
const detailLengthMax = 1024;

/** What grpc-js ends a call with. */
export interface StatusError {
  readonly code: status;
  readonly details: string;
}

/** The status that tells a caller of `code`. Detail beyond 1024 UTF-16 code units is cut. */
export function toStatusError(code: ErrorCode, detail: string): StatusError {
  // Cutting may halve a surrogate pair, which the header's encoding cannot carry.
  return { code: statusOfCode[code], details: detail.slice(0, detailLengthMax).toWellFormed() };
}

/** What a status that arrived means to us; one that no service of ours sends is "internal". */
export function fromStatus(found: status): ErrorCode {
  return codeOfStatus.get(found) ?? "internal";
}
