// How a failed call of a coordinator looks to an HTTP client. The one place where the two meet.
import { type ServiceError, status } from "@grpc/grpc-js";
import { ApiError, type ApiErrorCode } from "../http/api-error.ts";

const codeOfStatus = new Map<status, ApiErrorCode>([
  [status.INVALID_ARGUMENT, "invalid_parameter"],
  [status.OUT_OF_RANGE, "invalid_parameter"],
  [status.FAILED_PRECONDITION, "invalid_parameter"],
  [status.NOT_FOUND, "model_not_found"],
  [status.UNIMPLEMENTED, "not_supported"],
  [status.RESOURCE_EXHAUSTED, "overloaded"],
  [status.UNAVAILABLE, "expert_unavailable"],
  [status.DEADLINE_EXCEEDED, "timeout"],
  [status.CANCELLED, "cancelled"],
]);

/** The failure as the client is told; one that nobody foresaw says nothing of its inside. */
export function fromUpstream(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (!isServiceError(error)) return internalError(error);
  const code = codeOfStatus.get(error.code);
  if (code === undefined) return internalError(error);
  if (code === "timeout") {
    return new ApiError("timeout", "the answer was not complete in the time it may take", {
      cause: error,
    });
  }
  // Our own errors say their code in front, which is a field of its own here.
  const message = error.details.replace(/^\[[a-z-]+\] /, "");
  return new ApiError(refine(code, message), message, { cause: error });
}

/**
 * The failure of a conversation, at the place that the client gave the message: the coordinator saw
 * neighbours merged.
 *
 * @param firstIndexes for each message sent, the first of those it was made of
 */
export function atClientMessage(error: ApiError, firstIndexes: readonly number[]): ApiError {
  const found = /^message (\d+): (.*)$/s.exec(error.message);
  const index = found === null ? undefined : firstIndexes[Number(found[1])];
  if (found === null || index === undefined) return error;
  const param = `messages[${index}]`;
  return new ApiError(error.code, `${param}: ${found[2]}`, { param, cause: error });
}

/** The coordinator says which way an argument is invalid in words only. */
function refine(code: ApiErrorCode, details: string): ApiErrorCode {
  const isTooLong = code === "invalid_parameter" && /tokens and the context \d/.test(details);
  return isTooLong ? "context_length_exceeded" : code;
}

function internalError(cause: unknown): ApiError {
  return new ApiError("internal", "internal error; the gateway's log has it", { cause });
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && "details" in error;
}
