import { expect } from "vitest";
import { CheckpointError, type CheckpointErrorCode } from "../checkpoint-error.ts";

/** Expects a CheckpointError with `code` whose message holds every one of `parts`. */
export async function expectRefusal(
  action: Promise<unknown>,
  code: CheckpointErrorCode,
  ...parts: readonly string[]
): Promise<void> {
  const error = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CheckpointError);
  const refusal = error as CheckpointError;
  expect(refusal.message).toMatch(/^\[[a-z-]+\] \S/);
  expect([refusal.code, refusal.message]).toEqual([code, refusal.message]);
  for (const part of parts) expect(refusal.message).toContain(part);
}
