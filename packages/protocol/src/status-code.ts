// gRPC's status codes, as its specification numbers them; no library is needed to know them.

/** How a call can end. */
export const statusCode = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** One of {@link statusCode}. */
export type StatusCode = (typeof statusCode)[keyof typeof statusCode];

const names = new Map<number, string>(
  Object.entries(statusCode).map(([name, code]) => [code, name]),
);

/** Whether gRPC knows `code`. */
export function isStatusCode(code: number): code is StatusCode {
  return names.has(code);
}

/** "UNAVAILABLE" for 14. */
export function statusName(code: StatusCode): string {
  return names.get(code)!;
}
