// What is told to whoever asked for a constraint that cannot be kept.

/**
 * - invalid-grammar: it is wrong, asks for what cannot be enforced, or is beyond a limit
 * - overloaded: too many wait to be compiled
 * - failed: it was good, and ended while an answer was made: another may work
 */
export type ConstraintErrorCode = "invalid-grammar" | "overloaded" | "failed";

/** The message says what was expected, what was found and, for a limit, which. */
export class ConstraintError extends Error {
  override readonly name = "ConstraintError";
  readonly code: ConstraintErrorCode;
  constructor(code: ConstraintErrorCode, detail: string, options?: { readonly cause?: unknown }) {
    super(detail, options);
    this.code = code;
  }
}
