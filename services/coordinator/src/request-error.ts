// What a client is told when its request cannot be served, whatever failed underneath.
import { EngineError } from "@octet/engine";
import type { Failure, FailureReason } from "@octet/protocol";
import { TokenizerError } from "@octet/tokenizer";

/** When to ask again after a refusal that passes by itself, in ms. */
const usualRetryAfterMs = {
  overloaded: 1_000,
  // A worker is restarted, or its connection opened again.
  expert_unavailable: 1_000,
  // A shard of 15 GB is checked in about ten seconds.
  model_loading: 2_000,
  unavailable: 2_000,
} as const;

/** A request refused by the service itself. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly reason: FailureReason;
  readonly metadata: Failure["metadata"];
  /** The field to blame, as a path of proto names. */
  readonly field: string | undefined;
  constructor(
    reason: FailureReason,
    detail: string,
    about: { field?: string; metadata?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(detail, { cause: about.cause });
    this.reason = reason;
    this.field = about.field;
    this.metadata = about.metadata;
  }
}

/** What ends the call. Failures nobody foresaw say nothing of their inside. */
export function toFailure(error: unknown): Failure {
  if (error instanceof RequestError) {
    const { reason, message, field, metadata } = error;
    return failure({ reason, message, field, metadata });
  }
  if (error instanceof TokenizerError) {
    const reason = error.code === "bad-messages" ? "invalid_parameter" : "not_supported";
    return failure({ reason, message: error.detail });
  }
  if (error instanceof EngineError) return ofEngine(error);
  return failure({ reason: "internal", message: "internal error; the coordinator's log has it" });
}

/** Whether somebody must look: not a client's mistake, and not a worker that is away. */
export function isOurFault(error: unknown): boolean {
  if (error instanceof RequestError) return error.reason === "internal";
  if (error instanceof TokenizerError) return false;
  return !(error instanceof EngineError) || error.code === "internal";
}

function ofEngine(error: EngineError): Failure {
  const { code, detail: message, field, limit, expertId, expertFailure, retryAfterMs } = error;
  const metadata = {
    ...(limit === undefined ? {} : { limit: String(limit.max), found: String(limit.found) }),
    ...(expertId === undefined ? {} : { expert: String(expertId) }),
    ...(expertFailure === undefined ? {} : { cause: expertFailure.replaceAll("-", "_") }),
  };
  const path = field === undefined ? undefined : toProtoPath(field);
  return failure({ reason: reasonOf(code), message, field: path, metadata, retryAfterMs });
}

function reasonOf(code: EngineError["code"]): FailureReason {
  switch (code) {
    case "invalid-argument":
      return "invalid_parameter";
    case "context-length-exceeded":
      return "context_length_exceeded";
    case "overloaded":
      return "overloaded";
    case "expert-unavailable":
      return "expert_unavailable";
    case "device-lost":
    case "constraint-failed":
    case "closed":
      return "unavailable";
    case "deadline-exceeded":
      return "timeout";
    case "cancelled":
      return "cancelled";
    case "internal":
      return "internal";
  }
}

/** "sampling.topK", in the engine's words, is "sampling.top_k" of the request. */
function toProtoPath(field: string): string {
  // The prompt may have come as text, tokens or messages.
  if (field.startsWith("promptTokenIds")) return "input";
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function failure(of: {
  reason: FailureReason;
  message: string;
  field?: string | undefined;
  metadata?: Failure["metadata"];
  /** Default: what is usual for the reason. */
  retryAfterMs?: number | undefined;
}): Failure {
  const { reason, message, field, metadata } = of;
  const violations = field === undefined ? [] : [{ field, description: message }];
  const usual: Partial<Record<FailureReason, number>> = usualRetryAfterMs;
  return {
    reason,
    message,
    metadata,
    violations,
    retryAfterMs: of.retryAfterMs ?? usual[reason],
  };
}
