import assert from "node:assert/strict";
import { KernelError, type KernelErrorCode } from "../kernel-error.ts";

/** Fails unless `run` throws or rejects with a KernelError of `code`. */
export async function assertRefuses(
  code: KernelErrorCode,
  run: () => unknown,
  what: string,
): Promise<void> {
  let result: unknown;
  try {
    result = await run();
  } catch (error) {
    assert(error instanceof KernelError, `${what}: expected a KernelError, found ${error}`);
    assert.equal(error.code, code, `${what}: ${error.message}`);
    return;
  }
  assert.fail(`${what}: expected "${code}", but it succeeded with ${typeof result}`);
}
