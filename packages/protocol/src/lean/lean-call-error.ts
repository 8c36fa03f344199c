import type { StatusError } from "../status.ts";
import { type StatusCode, statusName } from "../status-code.ts";

/** A call that ended otherwise than with OK. */
export class LeanCallError extends Error {
  override readonly name = "LeanCallError";
  readonly status: StatusError;
  constructor(status: StatusError, options?: ErrorOptions) {
    super(`${status.code} ${statusName(status.code)}: ${status.details}`, options);
    this.status = status;
  }
  get code(): StatusCode {
    return this.status.code;
  }
}
