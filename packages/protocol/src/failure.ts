// Why a call of the inference service failed: our words, and google.rpc's in the status's trailer.
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { anyPack, anyUnpack, durationFromMs, durationMs } from "@bufbuild/protobuf/wkt";
import {
  BadRequestSchema,
  type ErrorInfo,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "./gen/google/rpc/error_details_pb.ts";
import { type Status, StatusSchema } from "./gen/google/rpc/status_pb.ts";
import { toStatusDetail } from "./status.ts";
import { type StatusCode, statusCode } from "./status-code.ts";

const statusOfReason = {
  // What the client asked cannot be done, now or later.
  invalid_parameter: statusCode.INVALID_ARGUMENT,
  context_length_exceeded: statusCode.INVALID_ARGUMENT,
  invalid_grammar: statusCode.INVALID_ARGUMENT,
  // A method that does not exist is UNIMPLEMENTED; this is one that exists, asked for too much.
  not_supported: statusCode.INVALID_ARGUMENT,
  model_not_found: statusCode.NOT_FOUND,
  // What the service could not do now.
  overloaded: statusCode.RESOURCE_EXHAUSTED,
  expert_unavailable: statusCode.UNAVAILABLE,
  model_loading: statusCode.UNAVAILABLE,
  unavailable: statusCode.UNAVAILABLE,
  // Nobody waits for the answer any more.
  timeout: statusCode.DEADLINE_EXCEEDED,
  cancelled: statusCode.CANCELLED,
  // What should not happen.
  internal: statusCode.INTERNAL,
} as const;

/** Why a call failed, in words that programs may rely on; docs/errors.md says what each means. */
export type FailureReason = keyof typeof statusOfReason;

/** What is wrong with one field of the request. */
export interface FieldViolation {
  /** A path of proto field names: "sampling.top_k", "messages[2].role". */
  readonly field: string;
  readonly description: string;
}

/** A failed call, whole. */
export interface Failure {
  readonly reason: FailureReason;
  readonly message: string;
  /** Facts as text: limit, found, expert. Never what a user wrote. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly violations?: readonly FieldViolation[] | undefined;
  /** When asking again may help; undefined where it will not, or nobody knows. */
  readonly retryAfterMs?: number | undefined;
}

/** A status as it travels. */
export interface FailureStatus {
  readonly code: StatusCode;
  readonly details: string;
  /** A google.rpc.Status: the value of {@link statusDetailsKey}. */
  readonly detailsBin?: Uint8Array | undefined;
}

/** The trailer that carries a google.rpc.Status. */
export const statusDetailsKey = "grpc-status-details-bin";

/** Who defines the reasons. */
const domain = "octet.dev";
/** All of it travels in headers, which peers limit to 8 KiB or so. */
const violationsMax = 8;
const metadataEntriesMax = 16;
const textLengthMax = 256;

/** The status that tells a client of `failure`; long texts are cut. */
export function toStatus(failure: Failure): FailureStatus {
  const code = statusOfReason[failure.reason];
  const details = toStatusDetail(failure.message);
  const message = create(StatusSchema, { code, message: details, details: toDetails(failure) });
  return { code, details, detailsBin: toBinary(StatusSchema, message) };
}

/**
 * What a status that arrived says. Where it has no details, or none of ours, the code alone tells
 * the reason: gRPC's own libraries end calls too.
 */
export function fromStatus(status: FailureStatus): Failure {
  const bare = { reason: reasonOfStatus.get(status.code) ?? "internal", message: status.details };
  const packed = parseStatus(status.detailsBin);
  const info = packed === undefined ? undefined : unpack(packed, ErrorInfoSchema);
  if (packed === undefined || info?.domain !== domain) return bare;
  const violations = unpack(packed, BadRequestSchema)?.fieldViolations ?? [];
  const delay = unpack(packed, RetryInfoSchema)?.retryDelay;
  return {
    reason: knownReason(info) ?? bare.reason,
    message: status.details,
    metadata: info.metadata,
    violations: violations.map(({ field, description }) => ({ field, description })),
    retryAfterMs: delay === undefined ? undefined : durationMs(delay),
  };
}

function toDetails({ reason, metadata = {}, violations = [], retryAfterMs }: Failure) {
  const facts = Object.entries(metadata).slice(0, metadataEntriesMax);
  const info = create(ErrorInfoSchema, {
    reason,
    domain,
    metadata: Object.fromEntries(facts.map(([name, value]) => [name, cut(value)])),
  });
  const details = [anyPack(ErrorInfoSchema, info)];
  if (violations.length > 0) {
    const fieldViolations = violations.slice(0, violationsMax).map(({ field, description }) => ({
      field: cut(field),
      description: cut(description),
    }));
    details.push(anyPack(BadRequestSchema, create(BadRequestSchema, { fieldViolations })));
  }
  if (retryAfterMs !== undefined) {
    const retryDelay = durationFromMs(retryAfterMs);
    details.push(anyPack(RetryInfoSchema, create(RetryInfoSchema, { retryDelay })));
  }
  return details;
}

function cut(text: string): string {
  return text.slice(0, textLengthMax).toWellFormed();
}

const reasonOfStatus = new Map<StatusCode, FailureReason>([
  [statusCode.INVALID_ARGUMENT, "invalid_parameter"],
  [statusCode.OUT_OF_RANGE, "invalid_parameter"],
  [statusCode.UNIMPLEMENTED, "not_supported"],
  [statusCode.NOT_FOUND, "model_not_found"],
  [statusCode.RESOURCE_EXHAUSTED, "overloaded"],
  [statusCode.UNAVAILABLE, "unavailable"],
  [statusCode.DEADLINE_EXCEEDED, "timeout"],
  [statusCode.CANCELLED, "cancelled"],
]);

/** Undefined for a reason from the future. */
function knownReason({ reason }: ErrorInfo): FailureReason | undefined {
  return Object.hasOwn(statusOfReason, reason) ? (reason as FailureReason) : undefined;
}

/** Undefined for bytes that are no google.rpc.Status: a status must not fail to be read. */
function parseStatus(bytes: Uint8Array | undefined): Status | undefined {
  if (bytes === undefined) return undefined;
  try {
    return fromBinary(StatusSchema, bytes);
  } catch {
    return undefined;
  }
}

function unpack<Schema extends DescMessage>(
  { details }: Status,
  schema: Schema,
): MessageShape<Schema> | undefined {
  for (const any of details) {
    try {
      const found = anyUnpack(any, schema);
      if (found !== undefined) return found;
    } catch {
      // Named like what we look for, and is something else.
    }
  }
  return undefined;
}
