// What a client is told when a request fails: one body that OpenAI's and Mistral's clients both read.

/** Names of failures, for programs: fixed, as clients branch on them. */
export type ApiErrorCode =
  | "invalid_parameter"
  | "invalid_json"
  | "invalid_grammar"
  | "unknown_parameter"
  | "context_length_exceeded"
  | "not_supported"
  | "model_not_found"
  | "not_found"
  | "method_not_allowed"
  | "unsupported_media_type"
  | "request_too_large"
  | "request_timeout"
  | "overloaded"
  | "model_loading"
  | "expert_unavailable"
  | "unavailable"
  | "timeout"
  | "cancelled"
  | "internal";

const statusOfCode: Readonly<Record<ApiErrorCode, number>> = {
  invalid_parameter: 400,
  invalid_json: 400,
  invalid_grammar: 400,
  unknown_parameter: 400,
  context_length_exceeded: 400,
  not_supported: 400,
  model_not_found: 404,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  request_too_large: 413,
  unsupported_media_type: 415,
  // The client went away: nobody reads this one.
  cancelled: 499,
  internal: 500,
  overloaded: 503,
  model_loading: 503,
  expert_unavailable: 503,
  unavailable: 503,
  timeout: 504,
};

/** How long to wait before asking again where the failure does not say, in ms. */
const retryAfterMsDefault = 1_000;

/** A request that fails, as its client is told. Messages never hold what the client wrote. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ApiErrorCode;
  readonly status: number;
  /** The parameter at fault: "messages[2].role". */
  readonly param: string | null;
  /** When asking again may help; undefined where it cannot. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ApiErrorCode,
    message: string,
    options: {
      param?: string | undefined;
      retryAfterMs?: number | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.status = statusOfCode[code];
    this.param = options.param ?? null;
    this.retryAfterMs =
      options.retryAfterMs ?? (this.status === 503 ? retryAfterMsDefault : undefined);
  }

  get type(): string {
    if (this.status < 500) return "invalid_request_error";
    return this.status === 503 ? "unavailable_error" : "server_error";
  }
}

/** The error as clients read it: OpenAI's within `error`, Mistral's beside it. */
export function toErrorBody({ message, type, param, code }: ApiError) {
  const error = { message, type, param, code };
  return { object: "error", ...error, error };
}

/** Headers that tell a client when to ask again. */
export function retryHeaders({ retryAfterMs }: ApiError): Record<string, string> {
  if (retryAfterMs === undefined) return {};
  return { "retry-after": String(Math.max(1, Math.ceil(retryAfterMs / 1000))) };
}
