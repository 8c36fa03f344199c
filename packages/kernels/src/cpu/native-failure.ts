// Errors of the addon, in the words of the seam.
import { KernelError, type KernelErrorCode } from "../kernel-error.ts";

const codes: Readonly<Record<string, KernelErrorCode>> = {
  "bad-weights": "bad-weights",
  closed: "closed",
  "non-finite": "non-finite",
  "non-finite-reply": "non-finite",
  unsupported: "unsupported",
} satisfies Record<string, KernelErrorCode>;

/** A {@link KernelError} for what the addon threw; anything without a code of ours, as it is. */
export function fromNative(error: unknown, where: string): unknown {
  const code = codes[nativeCode(error) ?? ""];
  if (code === undefined || !(error instanceof Error)) return error;
  return new KernelError(code, `${where}: ${error.message}`, { cause: error });
}

/** Whether it was an expert's answer that failed, before the step was changed by it. */
export function isReplyFailure(error: unknown): boolean {
  return nativeCode(error) === "non-finite-reply";
}

function nativeCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
