/** Why an engine refused or failed. */
export type KernelErrorCode =
  | "bad-shape"
  | "bad-weights"
  | "closed"
  /** The device is gone for now; an engine that can opens it again. The same call may be retried. */
  | "device-lost"
  | "non-finite"
  | "not-held"
  | "unsupported";

/** A failure at the compute seam; the message says what was expected and what was found. */
export class KernelError extends Error {
  override readonly name = "KernelError";
  readonly code: KernelErrorCode;
  constructor(code: KernelErrorCode, detail: string, options?: ErrorOptions) {
    super(`[${code}] ${detail}`, options);
    this.code = code;
  }
}
