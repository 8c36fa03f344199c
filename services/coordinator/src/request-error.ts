// What a client is told when its request cannot be served, whatever failed underneath.
import { EngineError, type EngineErrorCode } from "@octet/engine";
import { type ErrorCode, type StatusError, toStatusError } from "@octet/protocol";
import { TokenizerError } from "@octet/tokenizer";

/** A request refused by the service itself. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly code: ErrorCode;
  constructor(code: ErrorCode, detail: string) {
    super(detail);
    this.code = code;
  }
}

/** The status that ends the call. Failures nobody foresaw say nothing of their inside. */
export function toStatus(error: unknown): StatusError {
  if (error instanceof RequestError) return toStatusError(error.code, error.message);
  if (error instanceof TokenizerError) return toStatusError("invalid-request", error.message);
  if (error instanceof EngineError) return toStatusError(codeOf(error.code), error.message);
  return toStatusError("internal", "internal error; the coordinator's log has it");
}

/** Whether somebody must look: not a client's mistake, and not a worker that is away. */
export function isOurFault(error: unknown): boolean {
  if (error instanceof RequestError) return error.code === "internal";
  if (error instanceof TokenizerError) return false;
  return !(error instanceof EngineError) || error.code === "internal";
}

function codeOf(code: EngineErrorCode): ErrorCode {
  switch (code) {
    case "invalid-argument":
    case "context-length-exceeded":
      return "invalid-request";
    case "overloaded":
      return "overloaded";
    case "expert-unavailable":
    case "device-lost":
    case "closed":
      return "unavailable";
    case "deadline-exceeded":
      return "deadline-exceeded";
    case "cancelled":
      return "cancelled";
    case "internal":
      return "internal";
  }
}
