// What every expert engine checks of a call before it computes.
import {
  type ActivationDtype,
  type ActivationRows,
  activationRowBytes,
  dispatchDtype,
} from "@octet/core";
import type { ExpertCall, ExpertEngine } from "./expert-engine.ts";
import { KernelError } from "./kernel-error.ts";

/**
 * Refuses a call that `engine` cannot answer.
 *
 * @throws {KernelError} "not-held" for a layer or expert it has not; "bad-shape" for rows that are
 *   none, of another dtype or width, or whose bytes do not match their shape
 */
export function validateExpertCall(
  call: ExpertCall,
  engine: Pick<ExpertEngine, "model" | "weightDtype" | "expertIds">,
): void {
  const { model, weightDtype, expertIds } = engine;
  if (!(Number.isInteger(call.layer) && call.layer >= 0 && call.layer < model.numLayers)) {
    throw new KernelError(
      "not-held",
      `layer ${call.layer}: expected 0 to ${model.numLayers - 1}; ask a worker that holds it`,
    );
  }
  if (!expertIds.includes(call.expertId)) {
    throw new KernelError(
      "not-held",
      `expert ${call.expertId}: this engine holds ${expertIds.join(", ") || "none"}; ` +
        "ask a worker that holds it",
    );
  }
  validateRows(call.input, {
    what: `layer ${call.layer} expert ${call.expertId} input`,
    dtype: dispatchDtype(weightDtype),
    width: model.hiddenSize,
  });
}

/** What rows are expected to be; `rows` undefined allows any count from 1 up. */
export interface ExpectedRows {
  /** Whose rows they are, for the message. */
  readonly what: string;
  readonly dtype: ActivationDtype;
  readonly width: number;
  readonly rows?: number;
}

/** @throws {KernelError} "bad-shape" if `found` is not as `expected`, or its bytes do not fit it */
export function validateRows(found: ActivationRows, expected: ExpectedRows): void {
  const { what } = expected;
  if (found.dtype !== expected.dtype) {
    throw new KernelError("bad-shape", `${what}: expected ${expected.dtype}, found ${found.dtype}`);
  }
  if (found.width !== expected.width) {
    throw new KernelError(
      "bad-shape",
      `${what}: expected rows of width ${expected.width}, found ${found.width}`,
    );
  }
  if (!(Number.isSafeInteger(found.rows) && found.rows >= 1)) {
    throw new KernelError("bad-shape", `${what}: expected at least 1 row, found ${found.rows}`);
  }
  if (expected.rows !== undefined && found.rows !== expected.rows) {
    throw new KernelError(
      "bad-shape",
      `${what}: expected ${expected.rows} rows, found ${found.rows}`,
    );
  }
  const bytes = found.rows * activationRowBytes(found.dtype, found.width);
  if (found.data.byteLength !== bytes) {
    throw new KernelError(
      "bad-shape",
      `${what}: ${found.rows} rows of ${found.width} ${found.dtype} are ${bytes} bytes, ` +
        `found ${found.data.byteLength}`,
    );
  }
}
