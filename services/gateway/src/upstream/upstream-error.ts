// How a failed call of a coordinator looks to an HTTP client. The one place where the two meet.
import { AnswerChangedError, OctetError } from "@octet/client";
import type { Failure, FailureReason } from "@octet/protocol";
import { fromServiceError } from "@octet/protocol/grpc";
import { ApiError, type ApiErrorCode } from "../http/api-error.ts";

const codeOfReason: Readonly<Record<Exclude<FailureReason, "internal">, ApiErrorCode>> = {
  invalid_parameter: "invalid_parameter",
  context_length_exceeded: "context_length_exceeded",
  invalid_grammar: "invalid_grammar",
  not_supported: "not_supported",
  model_not_found: "model_not_found",
  overloaded: "overloaded",
  expert_unavailable: "expert_unavailable",
  model_loading: "model_loading",
  unavailable: "unavailable",
  timeout: "timeout",
  cancelled: "cancelled",
};

/** The failure as the client is told; one that nobody foresaw says nothing of its inside. */
export function fromUpstream(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof AnswerChangedError) {
    return new ApiError(
      "unavailable",
      "the answer broke off, and nobody went on with it as it began; ask anew",
      { cause: error },
    );
  }
  const failure = failureOf(error);
  if (failure === undefined || failure.reason === "internal") {
    return new ApiError("internal", "internal error; the gateway's log has it", { cause: error });
  }
  const field = failure.violations?.[0]?.field;
  return new ApiError(codeOfReason[failure.reason], messageOf(failure), {
    param: field === undefined ? undefined : toParam(field),
    retryAfterMs: failure.retryAfterMs,
    cause: error,
  });
}

function messageOf({ reason, message, retryAfterMs }: Failure): string {
  if (reason === "timeout") return "the answer was not complete in the time it may take";
  // A coordinator says when to ask again; gRPC itself says where nobody listened.
  const isUnreached = reason === "unavailable" && retryAfterMs === undefined;
  return isUnreached ? "no coordinator could be reached, or one went away; ask again" : message;
}

/** What is known of it; without the coordinator's address, which the client puts in front. */
function failureOf(error: unknown): Failure | undefined {
  if (!(error instanceof OctetError)) return fromServiceError(error);
  const { reason, address, fieldViolations: violations, retryAfterMs } = error;
  const message = error.message.slice(`${address}: `.length);
  return { reason, message, violations, retryAfterMs };
}

/** "sampling.top_k" of gRPC is "top_k" of HTTP. */
function toParam(field: string): string {
  return field
    .replace(/^(sampling|stop|output|chat)\./, "")
    .replace(/^strings\b/, "stop")
    .replace(/^token_ids\b/, "stop_token_ids");
}
