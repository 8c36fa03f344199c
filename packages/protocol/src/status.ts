// What a worker's failure is as a gRPC status. For the inference service, see failure.ts.
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

/** Longest detail of a status: it travels in a header, which peers limit to 8 KiB or so. */
const detailLengthMax = 1024;

/** Detail as a status may carry it: beyond 1024 UTF-16 code units it is cut. */
export function toStatusDetail(detail: string): string {
  // Cutting may halve a surrogate pair, which the header's encoding cannot carry.
  return detail.slice(0, detailLengthMax).toWellFormed();
}

/** What grpc-js ends a call with. */
export interface StatusError {
  readonly code: StatusCode;
  readonly details: string;
}

/** The status that tells a caller of `code`. Detail beyond 1024 UTF-16 code units is cut. */
export function toStatusError(code: ErrorCode, detail: string): StatusError {
  return { code: statusOfCode[code], details: toStatusDetail(detail) };
}
